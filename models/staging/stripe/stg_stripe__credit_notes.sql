{%- set tax = {'amount': 'bigint', 'inclusive': 'boolean', 'tax_behavior': 'string'} -%}
{%- set line_fields = {
    'id': 'string', 'invoice_line_item': 'string', 'amount': 'bigint',
    'discount_amounts': [{'amount': 'bigint'}], 'taxes': [tax], 'tax_amounts': [tax],
} -%}
{%- set line = struct({
    'credit_note_line_id': 'element.id',
    'invoice_line_id': 'element.invoice_line_item',
    'amount_minor': 'element.amount',
    'discount_amount_minor': list_transform('element.discount_amounts', 'element.amount', 'sum'),
    'inclusive_tax_minor': list_transform(
        'coalesce(element.taxes, element.tax_amounts)',
        "case when coalesce(element.tax_behavior = 'inclusive', element.inclusive)
        then element.amount end",
        'sum'
    ),
}) -%}
{%- set refund_fields = {'refund': 'string', 'amount_refunded': 'bigint'} -%}
{%- set listed_refund = struct({
    'refund_id': expandable_id('element.refund'),
    'refunded_minor': 'element.amount_refunded',
}) -%}
{%- set single_refund = struct({
    'refund_id': expandable_id('refund'),
    'refunded_minor': 'cast(null as bigint)',
}) -%}
{#- Since basil a list, each with the part it paid back; before, one refund. -#}
{%- set all_refunds -%}
    case
        when coalesce(json_array_length(refunds), 0) = 0 and refund is not null
            then {{ dbt.array_construct([single_refund]) }}
        else {{ list_transform(json_fields('refunds', [refund_fields]), listed_refund) }}
    end
{%- endset -%}

with

source as (

    select * from {{ source('stripe', 'credit_notes') }}

),

final as (

    select
        id as credit_note_id,
        {{ expandable_id('invoice') }} as invoice_id,
        {{ expandable_id('customer') }} as stripe_customer_id,
        {{ expandable_id('customer_balance_transaction') }} as customer_balance_transaction_id,

        number as credit_note_number,
        status,
        type as credit_note_type,
        reason,
        memo,
        upper(currency) as currency,

        amount as amount_minor,
        subtotal as subtotal_minor,
        discount_amount as discount_amount_minor,
        {{ list_transform(
            json_array('coalesce(total_taxes, tax_amounts)'),
            json_string('element', 'amount'),
            'sum'
        ) }} as tax_minor,
        total as total_minor,
        total_excluding_tax as total_excluding_tax_minor,
        -- Up to acacia a note is wholly before the payment or wholly after it, as its type says.
        coalesce(pre_payment_amount, case type when 'pre_payment' then amount else 0 end)
            as pre_payment_minor,
        coalesce(post_payment_amount, case type when 'post_payment' then amount else 0 end)
            as post_payment_minor,
        out_of_band_amount as out_of_band_minor,

        {{ list_transform(json_fields(json_value('lines', 'data'), [line_fields]), line) }}
            as lines,
        {{ all_refunds }} as refunds,
        metadata,

        coalesce(cast({{ json_string('lines', 'has_more') }} as boolean), false) as has_more_lines,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('effective_at') }} as effective_at,
        {{ from_epoch('voided_at') }} as voided_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
