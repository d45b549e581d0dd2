{#- The median of a group, nulls left out; of two middle values their mean. -#}
{% macro median(expression) -%}
    median({{ expression }})
{%- endmacro %}
