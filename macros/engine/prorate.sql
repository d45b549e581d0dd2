{#- amount × part ÷ whole as a decimal(28, 6), rounded half away from zero. It computes with integers,
    because a decimal divided becomes a double, which loses the last digits of a large amount.

    Arguments:
        amount: a decimal of at most six places.
        part, whole: whole numbers.
-#}
{% macro prorate(amount, part, whole) -%}
    {{ return(adapter.dispatch('prorate')(amount, part, whole)) }}
{%- endmacro %}

{% macro duckdb__prorate(amount, part, whole) -%}
    cast(
        sign({{ amount }}) * cast(
            (
                2 * abs(cast({{ amount }} * 1000000 as hugeint)) * cast({{ part }} as hugeint)
                + cast({{ whole }} as hugeint)
            ) // (2 * cast({{ whole }} as hugeint)) as decimal(28, 0)
        ) * 0.000001 as decimal(28, 6)
    )
{%- endmacro %}
