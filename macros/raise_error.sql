{#- Stops the build with a message that is worked out from the row at hand. -#}
{% macro raise_error(message) -%}
    error({{ message }})
{%- endmacro %}
