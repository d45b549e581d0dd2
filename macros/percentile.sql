{#- A percentile of a group or window, between two values where it falls between; nulls left out. -#}
{% macro percentile(expression, share) -%}
    quantile_cont({{ expression }}, {{ share }})
{%- endmacro %}
