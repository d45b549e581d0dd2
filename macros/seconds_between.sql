{#-
    Whole seconds that have passed from one timestamp to another. `dbt.datediff` counts the boundaries
    of seconds instead, one more or less where the timestamps have fractions.
-#}
{% macro seconds_between(first_moment, last_moment) -%}
    date_sub('second', {{ first_moment }}, {{ last_moment }})
{%- endmacro %}
