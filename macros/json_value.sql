{#- The JSON value (object, list or scalar) at a dotted path of a JSON column; null when absent. -#}
{% macro json_value(column, path) -%}
    nullif(json_extract({{ column }}, '$.{{ path }}'), cast('null' as json))
{%- endmacro %}
