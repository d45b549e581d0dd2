{#- Whole calendar days from one date to another, negative when the second comes first. -#}
{% macro days_between(first_date, last_date) -%}
    date_diff('day', {{ first_date }}, {{ last_date }})
{%- endmacro %}
