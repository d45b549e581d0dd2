{#- An exchange rate, null where it is unknown and not needed. Stops the build with the currency and the
    month where it is unknown and needed.

    Arguments:
        usd_per_unit: the rate, as `int_usd_rates_monthly` has it.
        currency, month: the code of the currency and the first day of the month, for the message.
        is_needed: whether there is an amount to convert.
-#}
{% macro required_rate(usd_per_unit, currency, month, is_needed) -%}
    case
        when {{ usd_per_unit }} is not null then {{ usd_per_unit }}
        when {{ currency }} = '{{ var("reporting_currency") }}' then 1
        when {{ is_needed }}
            then {{ raise_error(
                "'No exchange rate for ' || " ~ currency ~ " || ' in ' || substr(cast(" ~ month
                ~ " as string), 1, 7) || ': add it to the seed exchange_rates'"
            ) }}
    end
{%- endmacro %}
