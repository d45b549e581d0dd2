{#- An amount in US dollars, to six decimals. An amount of 0 needs no rate. Any other amount without a rate
    stops the build; see `required_rate`.

    Arguments:
        amount: a decimal, in major units.
        usd_per_unit, currency, month: as in `required_rate`. By default the columns that billing models carry.
-#}
{% macro to_usd(
    amount, usd_per_unit='usd_per_unit', currency='currency', month='rate_month'
) -%}
    {%- set rate -%}
        case
            when {{ amount }} = 0 then 0
            else {{ required_rate(usd_per_unit, currency, month, amount ~ ' != 0') }}
        end
    {%- endset -%}
    {{ rounded_product(amount, rate) }}
{%- endmacro %}
