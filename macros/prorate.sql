{#- A part of an amount, to six decimals, half away from zero. By whole numbers: a decimal divided
    becomes a float, and a float loses the last digits of a large sum.

    Arguments:
        amount: a decimal of at most six places.
        part, whole: whole numbers; the result is amount × part ÷ whole.
-#}
{% macro prorate(amount, part, whole) -%}
    cast(
        sign({{ amount }}) * cast(
            (
                2 * abs(cast({{ amount }} * 1000000 as hugeint)) * cast({{ part }} as hugeint)
                + cast({{ whole }} as hugeint)
            ) // (2 * cast({{ whole }} as hugeint)) as decimal(28, 0)
        ) * 0.000001 as decimal(28, 6)
    )
{%- endmacro %}
