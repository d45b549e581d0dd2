{#- An amount in whole minor units in US dollars: `to_usd` of `minor_to_major`.

    Arguments:
        amount: whole minor units, as Stripe sends them.
        exponent, usd_per_unit, currency, month: as in those. By default the columns that billing models carry.
-#}
{% macro minor_to_usd(
    amount,
    exponent='minor_unit_exponent',
    usd_per_unit='usd_per_unit',
    currency='currency',
    month='rate_month'
) -%}
    {{ to_usd(minor_to_major(amount, exponent), usd_per_unit, currency, month) }}
{%- endmacro %}
