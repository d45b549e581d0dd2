{#- Whole months from the month of one date to the month of another. -#}
{% macro months_between(first_date, last_date) -%}
    date_diff('month', {{ first_date }}, {{ last_date }})
{%- endmacro %}
