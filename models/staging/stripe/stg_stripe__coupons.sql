with

source as (

    select * from {{ source('stripe', 'coupons') }}

),

final as (

    select
        id as coupon_id,

        name as coupon_name,
        duration,
        cast(duration_in_months as integer) as duration_in_months,
        cast(percent_off as decimal(9, 6)) as percent_off,
        amount_off as amount_off_minor,
        upper(currency) as currency,
        currency_options,
        {{ json_value('applies_to', 'products') }} as applies_to,
        metadata,

        max_redemptions as max_redemption_count,
        times_redeemed as redemption_count,

        coalesce(valid, false) as is_valid,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('redeem_by') }} as redeem_by_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
