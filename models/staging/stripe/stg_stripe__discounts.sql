with

source as (

    select * from {{ source('stripe', 'discounts') }}

),

-- Since clover the coupon is in `source`. Before, `coupon` was the whole object.
with_coupon as (

    select
        id,
        promotion_code,
        customer,
        subscription,
        subscription_item,
        invoice,
        invoice_item,
        checkout_session,
        coalesce({{ json_string('source', 'coupon') }}, {{ json_string('coupon', 'id') }})
            as coupon_reference,
        case
            when {{ json_string('source', 'coupon.id') }} is not null
                then {{ json_value('source', 'coupon') }}
            else coupon
        end as expanded_coupon,
        deleted,
        "start", -- noqa: references.quoting
        "end",
        _batch_id,
        _extracted_at,
        _source_file,
        _source_row

    from source

),

final as (

    select
        id as discount_id,
        {{ expandable_id('coupon_reference') }} as coupon_id,
        {{ expandable_id('promotion_code') }} as promotion_code_id,
        {{ expandable_id('customer') }} as stripe_customer_id,
        subscription as subscription_id,
        subscription_item as subscription_item_id,
        invoice as invoice_id,
        invoice_item as invoice_item_id,
        checkout_session as checkout_session_id,

        expanded_coupon as coupon,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('"start"') }} as start_at,
        {{ from_epoch('"end"') }} as end_at,

        _batch_id,
        _extracted_at

    from with_coupon
    where coalesce(cast({{ json_string('expanded_coupon', 'livemode') }} as boolean), true)
    qualify {{ is_latest_version('id') }}

)

select * from final
