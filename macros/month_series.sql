{#- The first days of all months from one date to another, both included, as a list. -#}
{% macro month_series(first_month, last_month) -%}
    cast(generate_series({{ first_month }}, {{ last_month }}, interval 1 month) as date[])
{%- endmacro %}
