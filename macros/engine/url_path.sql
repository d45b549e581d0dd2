{#- The path of a web address, `/` when it has none; null for text that is not a full address. -#}
{% macro url_path(url) -%}
    {{ return(adapter.dispatch('url_path')(url)) }}
{%- endmacro %}

{% macro duckdb__url_path(url) -%}
    case
        when regexp_matches({{ url }}, '^[A-Za-z][A-Za-z0-9+.-]*://')
            then coalesce(
                nullif(
                    regexp_extract({{ url }}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)', 1), ''
                ),
                '/'
            )
    end
{%- endmacro %}

{% macro spark__url_path(url) -%}
    case
        when regexp_like({{ url }}, '^[A-Za-z][A-Za-z0-9+.-]*://')
            then coalesce(
                nullif(
                    regexp_extract({{ url }}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)', 1), ''
                ),
                '/'
            )
    end
{%- endmacro %}
