{#- An amount in US dollars, to six decimals. An amount of 0 needs no rate; any other without one stops the
    build, see `required_rate`.

    Arguments:
        amount: a decimal, in major units.
        usd_per_unit, currency, month: as in `required_rate`.
-#}
{% macro to_usd(amount, usd_per_unit, currency, month) -%}
    cast(
        {{ amount }} * coalesce(
            {{ required_rate(usd_per_unit, currency, month, amount ~ ' != 0') }}, 0
        ) as decimal(28, 6)
    )
{%- endmacro %}
