{#- Text at a dotted path of a JSON column, null when absent or JSON null. Keys hold no dots. -#}
{% macro json_string(column, path) -%}
    json_extract_string({{ column }}, '$.{{ path }}')
{%- endmacro %}
