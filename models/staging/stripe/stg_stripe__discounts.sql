with

source as (

    select * from {{ source('stripe', 'discounts') }}

),

final as (

    select
        id as discount_id,
        checkout_session as checkout_session_id,

        {{ stripe_discount(json_object({
            'id': 'id',
            'source': 'source',
            'coupon': 'coupon',
            'start': adapter.quote('start'),
            'end': adapter.quote('end'),
            'customer': 'customer',
            'subscription': 'subscription',
            'subscription_item': 'subscription_item',
            'invoice': 'invoice',
            'invoice_item': 'invoice_item',
            'promotion_code': 'promotion_code',
        })) }} as discount,

        coalesce(deleted, false) as is_deleted,

        _batch_id,
        _extracted_at

    from source
    where
        coalesce(
            cast({{ json_string('source', 'coupon.livemode') }} as boolean),
            cast({{ json_string('coupon', 'livemode') }} as boolean),
            true
        )
    qualify {{ is_latest_version('id') }}

)

select * from final
