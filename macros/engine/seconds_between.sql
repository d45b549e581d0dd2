{#- Complete seconds from one timestamp to another, as a bigint. `dbt.datediff` counts the boundaries of
    seconds instead. -#}
{% macro seconds_between(first_moment, last_moment) -%}
    {{ return(adapter.dispatch('seconds_between')(first_moment, last_moment)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(first_moment, last_moment) -%}
    date_sub('second', {{ first_moment }}, {{ last_moment }})
{%- endmacro %}

{% macro spark__seconds_between(first_moment, last_moment) -%}
    timestampdiff(second, {{ first_moment }}, {{ last_moment }})
{%- endmacro %}
