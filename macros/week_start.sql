{#- The date of the Monday of the ISO week that a date or timestamp lies in. -#}
{% macro week_start(moment) -%}
    cast(date_trunc('week', {{ moment }}) as date)
{%- endmacro %}
