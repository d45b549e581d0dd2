{#- Whether a month has ended by the end of the as-of date.

    Arguments:
        month: the first day of the month.
        as_of_date: the date that the figures are as of, `int_as_of.as_of_date`.
-#}
{% macro is_month_closed(month, as_of_date) -%}
    {{ dbt.dateadd('month', 1, month) }} <= {{ dbt.dateadd('day', 1, as_of_date) }}
{%- endmacro %}
