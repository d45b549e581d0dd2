{#- The text that a JSON value is: a JSON string without its quotes, anything else as it is written. -#}
{% macro json_text(value) -%}
    json_extract_string({{ value }}, '$')
{%- endmacro %}
