{#- Weeks from the ISO week of one date to the ISO week of another. -#}
{% macro weeks_between(first_date, last_date) -%}
    date_diff('week', {{ first_date }}, {{ last_date }})
{%- endmacro %}
