{#- The first day of the fiscal quarter of a date or timestamp, as a date. The fiscal year begins in the month
    `var('fiscal_year_start_month')`. -#}
{% macro fiscal_quarter_start(moment) -%}
    {%- set shift = var('fiscal_year_start_month') - 1 -%}
    cast({{ dbt.dateadd(
        'month', shift,
        "date_trunc('quarter', " ~ dbt.dateadd('month', -shift, month_start(moment)) ~ ")"
    ) }} as date)
{%- endmacro %}
