{%- set exclusive_tax -%}
    case
        when coalesce({{ json_string('element', 'tax_behavior') }} = 'exclusive',
            {{ json_string('element', 'inclusive') }} = 'false')
            then {{ json_string('element', 'amount') }}
    end
{%- endset -%}
{%- set inclusive_tax -%}
    case
        when coalesce({{ json_string('element', 'tax_behavior') }} = 'inclusive',
            {{ json_string('element', 'inclusive') }} = 'true')
            then {{ json_string('element', 'amount') }}
    end
{%- endset -%}

with

invoices as (

    select * from {{ source('stripe', 'invoices') }}

),

invoice_line_items as (

    select * from {{ source('stripe', 'invoice_line_items') }}

),

latest_invoices as (

    select
        id as invoice_id,
        lines,
        coalesce(cast({{ json_string('lines', 'has_more') }} as boolean), false) as has_more_lines,
        _batch_id,
        _extracted_at

    from invoices
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

),

all_lines as (

    select
        invoice_id,
        {{ explode(json_array(json_value('lines', 'data'))) }} as raw_line,
        not has_more_lines as is_from_whole_list,
        _batch_id,
        _extracted_at

    from latest_invoices

    union all

    -- A long invoice shows only its first lines. The others are exported as objects of their own.
    select
        {{ expandable_id('invoice') }} as invoice_id,
        {{ json_object({
            'id': 'id',
            'amount': 'amount',
            'currency': 'currency',
            'description': 'description',
            'discount_amounts': 'discount_amounts',
            'invoice_item': 'invoice_item',
            'metadata': 'metadata',
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
        }) }} as raw_line,
        false as is_from_whole_list,
        _batch_id,
        _extracted_at

    from invoice_line_items
    where coalesce(livemode, true) and not coalesce(deleted, false)
    qualify {{ is_latest_version('id') }}

),

identified as (

    select
        {{ json_string('raw_line', 'id') }} as invoice_line_id,
        invoice_id,
        raw_line,
        _batch_id,
        _extracted_at

    from all_lines
    -- A line that is missing from the complete list of its invoice was removed from it.
    qualify
        is_from_whole_list
        or not coalesce(bool_or(is_from_whole_list) over (partition by invoice_id), false)

),

latest as (

    select
        invoice_line_id,
        invoice_id,
        raw_line,
        _batch_id,
        _extracted_at,
        coalesce({{ json_value('raw_line', 'taxes') }}, {{ json_value('raw_line', 'tax_amounts') }})
            as taxes
    from identified
    qualify
        row_number() over (
            partition by invoice_id, invoice_line_id
            order by _extracted_at desc, _batch_id desc, cast(raw_line as string) desc
        ) = 1

),

-- Since basil the subject of a line is in `parent` and its price in `pricing`.
final as (

    select
        invoice_line_id,
        invoice_id,
        coalesce(
            {{ json_string('raw_line', 'parent.subscription_item_details.subscription') }},
            {{ json_string('raw_line', 'parent.invoice_item_details.subscription') }},
            {{ expandable_id(json_string('raw_line', 'subscription')) }}
        ) as subscription_id,
        coalesce(
            {{ json_string('raw_line', 'parent.subscription_item_details.subscription_item') }},
            {{ expandable_id(json_string('raw_line', 'subscription_item')) }}
        ) as subscription_item_id,
        coalesce(
            {{ json_string('raw_line', 'parent.subscription_item_details.invoice_item') }},
            {{ json_string('raw_line', 'parent.invoice_item_details.invoice_item') }},
            {{ expandable_id(json_string('raw_line', 'invoice_item')) }}
        ) as invoice_item_id,
        coalesce(
            {{ expandable_id(json_string('raw_line', 'pricing.price_details.price')) }},
            {{ json_string('raw_line', 'price.id') }},
            {{ json_string('raw_line', 'plan.id') }}
        ) as price_id,
        coalesce(
            {{ expandable_id(json_string('raw_line', 'pricing.price_details.product')) }},
            {{ expandable_id(json_string('raw_line', 'price.product')) }},
            {{ expandable_id(json_string('raw_line', 'plan.product')) }}
        ) as product_id,

        -- A proration of a subscription's item was an `invoiceitem` up to acacia.
        case
            when {{ json_string('raw_line', 'parent.type') }} = 'subscription_item_details'
                then 'subscription'
            when {{ json_string('raw_line', 'parent.type') }} = 'invoice_item_details'
                then 'invoice_item'
            when {{ json_string('raw_line', 'subscription_item') }} is not null then 'subscription'
            when {{ json_string('raw_line', 'type') }} = 'subscription' then 'subscription'
            when {{ json_string('raw_line', 'type') }} = 'invoiceitem' then 'invoice_item'
        end as line_type,
        {{ json_string('raw_line', 'description') }} as description,
        upper({{ json_string('raw_line', 'currency') }}) as currency,
        cast(
            coalesce(
                {{ json_string('raw_line', 'quantity_decimal') }},
                {{ json_string('raw_line', 'quantity') }}
            ) as decimal(28, 9)
        ) as quantity,
        cast({{ json_string('raw_line', 'amount') }} as bigint) as amount_minor,
        {{ list_transform(
            json_array(json_value('raw_line', 'discount_amounts')),
            json_string('element', 'amount'),
            'sum'
        ) }} as discount_amount_minor,
        {{ list_transform(json_array('taxes'), exclusive_tax, 'sum') }} as tax_minor,
        {{ list_transform(json_array('taxes'), inclusive_tax, 'sum') }} as inclusive_tax_minor,
        {{ json_value('raw_line', 'discount_amounts') }} as discount_amounts,
        {{ json_value('raw_line', 'metadata') }} as metadata,

        cast(
            coalesce(
                {{ json_string('raw_line', 'parent.subscription_item_details.proration') }},
                {{ json_string('raw_line', 'parent.invoice_item_details.proration') }},
                {{ json_string('raw_line', 'proration') }},
                'false'
            ) as boolean
        ) as is_proration,

        {{ from_epoch(json_string('raw_line', 'period.start')) }} as period_start_at,
        {{ from_epoch(json_string('raw_line', 'period.end')) }} as period_end_at,

        _batch_id,
        _extracted_at

    from latest

)

select * from final
