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

{#- JSON is text on Spark, and a JSON string the text itself. -#}
{% macro spark__json_string(column, path=none, ignores_case=false) -%}
    {%- if ignores_case -%}
    get_json_object(
        {{ column }},
        concat('$[''', try_element_at(filter(
            json_object_keys({{ column }}), key -> lower(key) = '{{ path | lower }}'
        ), 1), ''']')
    )
    {%- elif path -%}
    get_json_object({{ column }}, '$.{{ path }}')
    {%- else -%}
    {{ column }}
    {%- endif -%}
{%- endmacro %}

{#- A field of an element of a JSON list as text.

    Arguments:
        list: a JSON list.
        position: the element, as `list_transform` counts.
        field: the field's name.
-#}
{% macro json_element_string(list, position, field) -%}
    {{ return(adapter.dispatch('json_element_string')(list, position, field)) }}
{%- endmacro %}

{% macro duckdb__json_element_string(list, position, field) -%}
    json_extract_string({{ list }}, '$[' || ({{ position }} - 1) || '].{{ field }}')
{%- endmacro %}

{% macro spark__json_element_string(list, position, field) -%}
    get_json_object({{ list }}, concat('$[', cast({{ position }} as string), '].{{ field }}'))
{%- endmacro %}
