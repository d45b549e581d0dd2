{#- Dates from one to another at a fixed step, both ends included, as a list of dates for `explode`.

    Arguments:
        first_date, last_date: dates, or expressions that return one.
        unit: `day`, `week` or `month`; weeks and months are counted from `first_date`.
-#}
{% macro date_series(first_date, last_date, unit) -%}
    {{ return(adapter.dispatch('date_series')(first_date, last_date, unit)) }}
{%- endmacro %}

{% macro duckdb__date_series(first_date, last_date, unit) -%}
    cast(generate_series({{ first_date }}, {{ last_date }}, interval 1 {{ unit }}) as date[])
{%- endmacro %}

{#- A sequence whose end is before its start would run backwards. -#}
{% macro spark__date_series(first_date, last_date, unit) -%}
    case
        when cast({{ last_date }} as date) >= cast({{ first_date }} as date)
            then sequence(
                cast({{ first_date }} as date), cast({{ last_date }} as date), interval 1 {{ unit }}
            )
        else cast(array() as array<date>)
    end
{%- endmacro %}
