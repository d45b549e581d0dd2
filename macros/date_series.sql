{#- Dates from one to another at a fixed step, both ends included, as a list for `explode`.

    Arguments:
        first_date, last_date: dates, or texts of expressions that give one.
        unit: `day`, `week` or `month`; a series of weeks or months begins at `first_date`.
-#}
{% macro date_series(first_date, last_date, unit) -%}
    {{ return(adapter.dispatch('date_series')(first_date, last_date, unit)) }}
{%- endmacro %}

{% macro default__date_series(first_date, last_date, unit) -%}
    cast(generate_series({{ first_date }}, {{ last_date }}, interval 1 {{ unit }}) as date[])
{%- endmacro %}
