{#- The terms of a Stripe coupon as a struct, the same for every API version:
        coupon_id, percent_off decimal(9,6), amount_off_minor bigint, currency,
        currency_options: a list of structs of currency and amount_off_minor; null where not expanded,
        duration, duration_in_months integer,
        product_ids: a list of text, the products that the coupon is limited to; null where the object
            does not have `applies_to`, and for a coupon of all products.
    Currencies are in upper case. Null for null and for a coupon of which only the id is given.

    Arguments:
        coupon: a JSON value, the coupon or its id.
-#}
{% macro stripe_coupon(coupon) -%}
    {%- set fields = {
        'id': 'string', 'percent_off': 'decimal(9, 6)', 'amount_off': 'bigint', 'currency': 'string',
        'currency_options': {'*': {'amount_off': 'bigint'}},
        'duration': 'string', 'duration_in_months': 'integer', 'applies_to': {'products': ['string']},
    } -%}
    {%- set terms = struct({
        'coupon_id': 'coupon_fields.id',
        'percent_off': 'coupon_fields.percent_off',
        'amount_off_minor': 'coupon_fields.amount_off',
        'currency': 'upper(coupon_fields.currency)',
        'currency_options': list_transform(
            'map_entries(coupon_fields.currency_options)',
            struct({
                'currency': 'upper(currency_option.key)',
                'amount_off_minor': 'currency_option.value.amount_off',
            }),
            element='currency_option'
        ),
        'duration': 'coupon_fields.duration',
        'duration_in_months': 'coupon_fields.duration_in_months',
        'product_ids': 'coupon_fields.applies_to.products',
    }) -%}
    {{ bind(
        'coupon_fields', json_fields(coupon, fields),
        'case when coupon_fields.id is not null then ' ~ terms ~ ' end'
    ) }}
{%- endmacro %}
