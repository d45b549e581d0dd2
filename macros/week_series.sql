{#- Every seventh day from one date to another, both included, as a list: from a Monday, all Mondays. -#}
{% macro week_series(first_date, last_date) -%}
    cast(generate_series({{ first_date }}, {{ last_date }}, interval 7 day) as date[])
{%- endmacro %}
