{#- The terms of a Stripe price or legacy plan as a struct, the same for every API version:
        price_id, product_id, currency,
        currency_options: a list of structs of currency, unit_amount_decimal and tiers; null for a plan
            and where not expanded,
        price_type, billing_scheme, unit_amount_decimal decimal(38,12),
        tiers: a list of structs of up_to_quantity bigint, unit_amount_decimal and flat_amount_decimal;
            null where not expanded,
        tiers_mode,
        transform_quantity: a struct of divide_by bigint and round,
        recurring_interval, recurring_interval_count integer, usage_type, tax_behavior.
    Amounts are in minor units, currencies in upper case. Null for a price without an id.

    Arguments:
        fields: a price or plan as read by `json_fields` with `stripe_price_fields`.
-#}
{% macro stripe_price(fields) -%}
    {%- set typed_tier = struct({
        'up_to_quantity': 'tier.up_to',
        'unit_amount_decimal': 'coalesce(tier.unit_amount_decimal, tier.unit_amount, tier.amount, 0)',
        'flat_amount_decimal': 'coalesce(tier.flat_amount_decimal, tier.flat_amount, 0)',
    }) -%}
    {%- set terms = struct({
        'price_id': 'price_fields.id',
        'product_id': expandable_id('price_fields.product'),
        'currency': 'upper(price_fields.currency)',
        'currency_options': list_transform(
            'map_entries(price_fields.currency_options)',
            struct({
                'currency': 'upper(currency_option.key)',
                'unit_amount_decimal': 'coalesce(currency_option.value.unit_amount_decimal, '
                    ~ 'currency_option.value.unit_amount)',
                'tiers': list_transform('currency_option.value.tiers', typed_tier, element='tier'),
            }),
            element='currency_option'
        ),
        'price_type': "coalesce(price_fields.type, 'recurring')",
        'billing_scheme': 'price_fields.billing_scheme',
        'unit_amount_decimal': 'coalesce(price_fields.unit_amount_decimal, price_fields.unit_amount, '
            ~ 'price_fields.amount_decimal, price_fields.amount)',
        'tiers': list_transform('price_fields.tiers', typed_tier, element='tier'),
        'tiers_mode': 'price_fields.tiers_mode',
        'transform_quantity': 'coalesce(price_fields.transform_quantity, price_fields.transform_usage)',
        'recurring_interval': 'coalesce(price_fields.recurring.interval, price_fields.interval)',
        'recurring_interval_count': 'coalesce(price_fields.recurring.interval_count, price_fields.interval_count)',
        'usage_type': 'coalesce(price_fields.recurring.usage_type, price_fields.usage_type)',
        'tax_behavior': 'price_fields.tax_behavior',
    }) -%}
    {{ bind('price_fields', fields, 'case when price_fields.id is not null then ' ~ terms ~ ' end') }}
{%- endmacro %}

{#- The fields that `stripe_price` needs, for `json_fields`. -#}
{% macro stripe_price_fields() -%}
    {%- set amount = 'decimal(38, 12)' -%}
    {%- set tiers = [{
        'up_to': 'bigint', 'unit_amount_decimal': amount, 'unit_amount': amount, 'amount': amount,
        'flat_amount_decimal': amount, 'flat_amount': amount,
    }] -%}
    {%- set option = {'unit_amount_decimal': amount, 'unit_amount': amount, 'tiers': tiers} -%}
    {%- set lots = {'divide_by': 'bigint', 'round': 'string'} -%}
    {%- set period = {'interval': 'string', 'interval_count': 'integer', 'usage_type': 'string'} -%}
    {{ return({
        'id': 'string', 'product': 'string', 'currency': 'string', 'type': 'string',
        'billing_scheme': 'string', 'unit_amount_decimal': amount, 'unit_amount': amount,
        'amount_decimal': amount, 'amount': amount, 'tiers': tiers, 'tiers_mode': 'string',
        'currency_options': {'*': option},
        'transform_quantity': lots, 'transform_usage': lots, 'recurring': period,
        'interval': 'string', 'interval_count': 'integer', 'usage_type': 'string',
        'tax_behavior': 'string',
    }) }}
{%- endmacro %}
