{#- The day of the week as an integer, Monday 1 to Sunday 7. -#}
{% macro iso_weekday(moment) -%}
    {{ return(adapter.dispatch('iso_weekday')(moment)) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(moment) -%}
    cast(isodow({{ moment }}) as integer)
{%- endmacro %}
