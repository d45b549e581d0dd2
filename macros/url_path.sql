{#- The path of a web address, `/` when it has none; null for text that is not a full address. -#}
{% macro url_path(url) -%}
    case
        when regexp_extract({{ url }}, '^[A-Za-z][A-Za-z0-9+.-]*://', 0) != ''
            then coalesce(
                nullif(
                    regexp_extract({{ url }}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)', 1), ''
                ),
                '/'
            )
    end
{%- endmacro %}
