{#- amount × factor as a decimal(28, 6), rounded half away from zero.

    Arguments:
        amount: a decimal of at most six places.
        factor: a decimal of at most ten places.
-#}
{% macro rounded_product(amount, factor) -%}
    {{ return(adapter.dispatch('rounded_product')(amount, factor)) }}
{%- endmacro %}

{#- DuckDB divides 128-bit integers bit by bit, so a cast of the product takes 15 times as long. A double
    gives a bound just below the result, and the small rest is exact in 64 bits. -#}
{% macro duckdb__rounded_product(amount, factor) -%}
    {%- set bound -%}
        cast(
            cast(
                trunc(
                    cast({{ amount }} as double)
                    * cast({{ factor }} as double)
                    * 999999.999999999
                ) as decimal(22, 0)
            ) * 0.000001 as decimal(28, 6)
        )
    {%- endset -%}
    cast(
        {{ bound }}
        + cast(
            cast({{ amount }} * {{ factor }} - {{ bound }} as decimal(18, 16)) as decimal(18, 6)
        ) as decimal(28, 6)
    )
{%- endmacro %}

{% macro default__rounded_product(amount, factor) -%}
    cast(cast({{ amount }} as decimal(22, 6)) * cast({{ factor }} as decimal(16, 10)) as decimal(28, 6))
{%- endmacro %}
