{#- US dollars per unit of a currency at the end of a month. Only a month that is still running,
    whose end has no rate yet, may take the latest there is; an amount without a rate stops the
    build and names both; where there is no amount to convert, null.

    Arguments:
        currency, month: what of, and the first day of when.
        rate: the month-end's rate, null where there is none.
        latest_rate: the currency's last rate, null where there is none.
        is_closed: whether the month has ended.
        has_amount: whether there is something to convert.
-#}
{% macro usd_per_unit(currency, month, rate, latest_rate, is_closed, has_amount) -%}
    case
        when {{ currency }} = '{{ var("reporting_currency") }}' then 1
        when {{ rate }} is not null then {{ rate }}
        when not ({{ is_closed }}) and {{ latest_rate }} is not null then {{ latest_rate }}
        when {{ has_amount }}
            then {{ raise_error(
                "'No exchange rate for ' || " ~ currency ~ " || ' in ' || strftime(" ~ month
                ~ ", '%Y-%m') || ': add it to the seed exchange_rates'"
            ) }}
    end
{%- endmacro %}
