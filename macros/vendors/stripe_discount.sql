{#- A Stripe discount as a struct, the same for every API version:
        discount_id, coupon_id, coupon: a struct as of `stripe_coupon`; null where only the id is given,
        start_at, end_at: timestamps in UTC,
        stripe_customer_id, subscription_id, subscription_item_id,
        invoice_id: the invoice, or else the invoice item,
        promotion_code_id.
    Of a discount of which only the id is given, all else is null. Null for null.

    Arguments:
        discount: a JSON value, the discount or its id. Since clover the coupon is in `source`. Before,
            `coupon` was the whole object.
-#}
{% macro stripe_discount(discount) -%}
    {%- set fields = {
        'id': 'string', 'coupon': 'json', 'source': {'coupon': 'json'},
        'start': 'bigint', 'end': 'bigint', 'customer': 'string', 'subscription': 'string',
        'subscription_item': 'string', 'invoice': 'string', 'invoice_item': 'string',
        'promotion_code': 'string',
    } -%}
    {%- set coupon = 'coalesce(discount_fields.source.coupon, discount_fields.coupon)' -%}
    {%- set terms = struct({
        'discount_id': 'discount_fields.id',
        'coupon_id': expandable_id(json_string(coupon)),
        'coupon': stripe_coupon(coupon),
        'start_at': from_epoch('discount_fields.start'),
        'end_at': from_epoch('discount_fields.' ~ adapter.quote('end')),
        'stripe_customer_id': expandable_id('discount_fields.customer'),
        'subscription_id': 'discount_fields.subscription',
        'subscription_item_id': 'discount_fields.subscription_item',
        'invoice_id': 'coalesce(discount_fields.invoice, discount_fields.invoice_item)',
        'promotion_code_id': expandable_id('discount_fields.promotion_code'),
    }) -%}
    {{ bind(
        'discount_fields', json_fields(expanded_object(discount), fields),
        'case when discount_fields is not null then ' ~ terms ~ ' end'
    ) }}
{%- endmacro %}
