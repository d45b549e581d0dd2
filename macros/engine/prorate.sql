{#- amount × part ÷ whole as a decimal(28, 6), rounded half away from zero. It computes with integers,
    because a decimal divided becomes a double, which loses the last digits of a large amount.

    Arguments:
        amount: a decimal of at most six places.
        part, whole: whole numbers.
-#}
{% macro prorate(amount, part, whole) -%}
    {{ return(adapter.dispatch('prorate')(amount, part, whole)) }}
{%- endmacro %}

{#- DuckDB divides 128-bit integers bit by bit, which takes 10 times as long. A double gives a bound just
    below the result, and the small rest is exact in 64 bits. -#}
{% macro duckdb__prorate(amount, part, whole) -%}
    {%- set bound -%}
        cast(
            cast(
                trunc(
                    cast({{ amount }} as double)
                    * cast({{ part }} as double)
                    / cast({{ whole }} as double)
                    * 999999.999999999
                ) as decimal(22, 0)
            ) * 0.000001 as decimal(28, 6)
        )
    {%- endset -%}
    {#- What is left of amount × part after bound × whole, in millionths. -#}
    {%- set rest -%}
        cast(
            cast(
                {{ amount }} * cast({{ part }} as decimal(9, 0))
                - {{ bound }} * cast({{ whole }} as decimal(9, 0)) as decimal(11, 6)
            ) * 1000000 as bigint
        )
    {%- endset -%}
    cast(
        {{ bound }}
        + cast(
            sign({{ rest }}) * ((2 * abs({{ rest }}) + {{ whole }}) // (2 * {{ whole }}))
            as decimal(11, 0)
        ) * 0.000001 as decimal(28, 6)
    )
{%- endmacro %}

{#- Exact with 38 digits: what remains is taken off before the division. -#}
{% macro default__prorate(amount, part, whole) -%}
    {%- set dividend -%}
        (
            2 * cast(abs({{ amount }}) * 1000000 as decimal(27, 0)) * cast({{ part }} as decimal(9, 0))
            + cast({{ whole }} as decimal(9, 0))
        )
    {%- endset -%}
    {%- set divisor -%}(2 * cast({{ whole }} as decimal(9, 0))){%- endset -%}
    cast(
        cast(sign({{ amount }}) as decimal(1, 0))
        * cast(({{ dividend }} - mod({{ dividend }}, {{ divisor }})) / {{ divisor }} as decimal(27, 0))
        * 0.000001 as decimal(28, 6)
    )
{%- endmacro %}
