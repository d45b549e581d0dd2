{#- An amount in whole minor units as an exact decimal in major units.

    Arguments:
        amount: whole minor units, as Stripe sends them.
        exponent: decimal places of the currency: 0, 2 or 3. By default the column that billing models carry.
-#}
{% macro minor_to_major(amount, exponent='minor_unit_exponent') -%}
    cast(
        cast({{ amount }} as decimal(19, 0))
        * case {{ exponent }} when 0 then 1.000 when 2 then 0.010 when 3 then 0.001 end
        as decimal(28, 6)
    )
{%- endmacro %}
