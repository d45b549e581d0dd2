{#- The lines of a Stripe invoice as a list of structs, the same for every API version:
        invoice_line_id, subscription_id, subscription_item_id, invoice_item_id, price_id, product_id,
        line_type: `subscription` or `invoice_item`,
        description, currency in upper case, quantity decimal(28,9),
        amount_minor, discount_amount_minor, tax_minor: exclusive tax, inclusive_tax_minor: bigint,
        discount_amounts: a list of structs of discount_id and amount_minor,
        is_proration, period_start_at, period_end_at: timestamps in UTC.
    Null for null.

    Arguments:
        lines: a JSON list of line items. Since basil the subject of a line is in `parent` and its price in
            `pricing`.
-#}
{% macro stripe_invoice_lines(lines) -%}
    {%- set subject = {
        'invoice_item': 'string', 'proration': 'boolean', 'subscription': 'string',
        'subscription_item': 'string',
    } -%}
    {%- set tax = {'amount': 'bigint', 'inclusive': 'boolean', 'tax_behavior': 'string'} -%}
    {%- set fields = {
        'id': 'string', 'type': 'string', 'description': 'string', 'currency': 'string',
        'amount': 'bigint', 'quantity': 'string', 'quantity_decimal': 'string',
        'discount_amounts': [{'amount': 'bigint', 'discount': 'string'}],
        'taxes': [tax], 'tax_amounts': [tax],
        'parent': {
            'type': 'string', 'subscription_item_details': subject, 'invoice_item_details': subject,
        },
        'pricing': {'price_details': {'price': 'string', 'product': 'string'}},
        'price': {'id': 'string', 'product': 'string'}, 'plan': {'id': 'string', 'product': 'string'},
        'invoice_item': 'string', 'proration': 'boolean', 'subscription': 'string',
        'subscription_item': 'string', 'period': {'start': 'bigint', 'end': 'bigint'},
    } -%}
    {%- set of_item, of_invoice = 'line_item.parent.subscription_item_details', 'line_item.parent.invoice_item_details' -%}
    {#- A proration of a subscription's item was an `invoiceitem` up to acacia. -#}
    {%- set line_type -%}
        case
            when line_item.parent.type = 'subscription_item_details' then 'subscription'
            when line_item.parent.type = 'invoice_item_details' then 'invoice_item'
            when line_item.subscription_item is not null then 'subscription'
            when line_item.type = 'subscription' then 'subscription'
            when line_item.type = 'invoiceitem' then 'invoice_item'
        end
    {%- endset -%}
    {%- set taxes = 'coalesce(line_item.taxes, line_item.tax_amounts)' -%}
    {{ list_transform(
        json_fields(lines, [fields]),
        struct({
            'invoice_line_id': 'line_item.id',
            'subscription_id': 'coalesce(' ~ of_item ~ '.subscription, ' ~ of_invoice ~ '.subscription, '
                ~ expandable_id('line_item.subscription') ~ ')',
            'subscription_item_id': 'coalesce(' ~ of_item ~ '.subscription_item, '
                ~ expandable_id('line_item.subscription_item') ~ ')',
            'invoice_item_id': 'coalesce(' ~ of_item ~ '.invoice_item, ' ~ of_invoice ~ '.invoice_item, '
                ~ expandable_id('line_item.invoice_item') ~ ')',
            'price_id': 'coalesce(' ~ expandable_id('line_item.pricing.price_details.price')
                ~ ', line_item.price.id, line_item.plan.id)',
            'product_id': 'coalesce(' ~ expandable_id('line_item.pricing.price_details.product') ~ ', '
                ~ expandable_id('line_item.price.product') ~ ', ' ~ expandable_id('line_item.plan.product') ~ ')',
            'line_type': line_type,
            'description': 'line_item.description',
            'currency': 'upper(line_item.currency)',
            'quantity': 'cast(coalesce(line_item.quantity_decimal, line_item.quantity) as decimal(28, 9))',
            'amount_minor': 'line_item.amount',
            'discount_amount_minor': list_transform('line_item.discount_amounts', 'element.amount', 'sum'),
            'tax_minor': list_transform(
                taxes,
                "case when coalesce(element.tax_behavior = 'exclusive', not element.inclusive)
                then element.amount end",
                'sum'
            ),
            'inclusive_tax_minor': list_transform(
                taxes,
                "case when coalesce(element.tax_behavior = 'inclusive', element.inclusive)
                then element.amount end",
                'sum'
            ),
            'discount_amounts': list_transform(
                'line_item.discount_amounts',
                struct({
                    'discount_id': expandable_id('element.discount'), 'amount_minor': 'element.amount',
                })
            ),
            'is_proration': 'coalesce(' ~ of_item ~ '.proration, ' ~ of_invoice
                ~ '.proration, line_item.proration, false)',
            'period_start_at': from_epoch('line_item.period.start'),
            'period_end_at': from_epoch('line_item.period.' ~ adapter.quote('end')),
        }),
        element='line_item'
    ) }}
{%- endmacro %}
