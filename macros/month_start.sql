{#- The date of the first day of the month that a date or timestamp lies in. -#}
{% macro month_start(moment) -%}
    cast(date_trunc('month', {{ moment }}) as date)
{%- endmacro %}
