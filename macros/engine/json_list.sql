{#- A JSON list of JSON values.

    Arguments:
        elements: a list of SQL expressions.
-#}
{% macro json_list(elements) -%}
    {{ return(adapter.dispatch('json_list')(elements)) }}
{%- endmacro %}

{% macro duckdb__json_list(elements) -%}
    to_json([{{ elements | join(', ') }}])
{%- endmacro %}

{% macro default__json_list(elements) -%}
    concat('[', {{ elements | join(", ',', ") ~ ', ' if elements }}']')
{%- endmacro %}
