with

source as (

    select * from {{ source('stripe', 'invoice_line_items') }}

),

read_lines as (

    select
        {{ expandable_id('invoice') }} as invoice_id,
        {{ explode(stripe_invoice_lines(json_list([json_object({
            'id': 'id',
            'amount': 'amount',
            'currency': 'currency',
            'description': 'description',
            'discount_amounts': 'discount_amounts',
            'invoice_item': 'invoice_item',
            'parent': 'parent',
            'period': 'period',
            'plan': 'plan',
            'price': 'price',
            'pricing': 'pricing',
            'proration': 'proration',
            'quantity': 'quantity',
            'quantity_decimal': 'quantity_decimal',
            'subscription': 'subscription',
            'subscription_item': 'subscription_item',
            'tax_amounts': 'tax_amounts',
            'taxes': 'taxes',
            'type': 'type',
        })]))) }} as line,
        _batch_id,
        _extracted_at

    from source
    where
        coalesce(livemode, true)
        and not coalesce(deleted, false)
    qualify {{ is_latest_version('id') }}

),

final as (

    select
        line.invoice_line_id,
        invoice_id,
        line.subscription_id,
        line.subscription_item_id,
        line.invoice_item_id,
        line.price_id,
        line.product_id,

        line.line_type,
        line.description,
        line.currency,
        line.quantity,
        line.amount_minor,
        line.discount_amount_minor,
        line.tax_minor,
        line.inclusive_tax_minor,
        line.discount_amounts,

        line.is_proration,

        line.period_start_at,
        line.period_end_at,

        _batch_id,
        _extracted_at

    from read_lines

)

select * from final
