{#- The decimal places of a currency's minor unit. Stops the build with the currency where the seed does not
    have it; null where there is no currency.

    Arguments:
        exponent: `stripe_minor_unit_exponent` of the seed `currencies`, left joined.
        currency: the code of the currency, for the message.
-#}
{% macro required_exponent(exponent, currency) -%}
    case
        when {{ exponent }} is not null then {{ exponent }}
        when {{ currency }} is not null
            then {{ raise_error(
                "'No currency ' || " ~ currency ~ " || ': add it to the seed currencies'"
            ) }}
    end
{%- endmacro %}
