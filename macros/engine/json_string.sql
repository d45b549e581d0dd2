{#- A JSON value as text: a string without its quotes, anything else in JSON notation; null when absent
    or JSON null.

    Arguments:
        column: a JSON value.
        path: dotted path from it, with keys that have no dots; none for the value itself.
        ignores_case: whether the path is one key of an object, in any mix of upper and lower case.
-#}
{% macro json_string(column, path=none, ignores_case=false) -%}
    {{ return(adapter.dispatch('json_string')(column, path, ignores_case)) }}
{%- endmacro %}

{% macro duckdb__json_string(column, path=none, ignores_case=false) -%}
    {%- if ignores_case -%}
    json_extract_string(
        {{ column }},
        '$."' || list_filter(
            json_keys({{ column }}), lambda key: lower(key) = '{{ path | lower }}'
        )[1] || '"'
    )
    {%- else -%}
    json_extract_string({{ column }}, '{{ "$." ~ path if path else "$" }}')
    {%- endif -%}
{%- endmacro %}
