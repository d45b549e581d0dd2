{#- A JSON value as text: a string without its quotes, anything else in JSON notation; null when absent
    or JSON null.

    Arguments:
        column: a JSON value.
        path: dotted path from it, with keys that have no dots; none for the value itself.
-#}
{% macro json_string(column, path=none) -%}
    {{ return(adapter.dispatch('json_string')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_string(column, path=none) -%}
    json_extract_string({{ column }}, '{{ "$." ~ path if path else "$" }}')
{%- endmacro %}
