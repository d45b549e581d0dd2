{#- All days from one date to another, both included, as a list. -#}
{% macro day_series(first_date, last_date) -%}
    cast(generate_series({{ first_date }}, {{ last_date }}, interval 1 day) as date[])
{%- endmacro %}
