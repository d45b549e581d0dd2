with

source as (

    select * from {{ source('stripe', 'promotion_codes') }}

),

final as (

    select
        id as promotion_code_id,
        -- Since clover the coupon is in `promotion`. Before, `coupon` was the whole object.
        coalesce(
            {{ expandable_id(json_string('promotion', 'coupon')) }},
            {{ json_string('coupon', 'id') }}
        ) as coupon_id,
        {{ expandable_id('customer') }} as stripe_customer_id,

        code,
        restrictions,
        metadata,

        max_redemptions as max_redemption_count,
        times_redeemed as redemption_count,

        coalesce(active, false) as is_active,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('expires_at') }} as expires_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
