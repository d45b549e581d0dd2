with

source as (

    select * from {{ source('stripe', 'coupons') }}

),

latest_versions as (

    select
        id,
        name,
        {{ stripe_coupon(json_object({
            'id': 'id',
            'percent_off': 'percent_off',
            'amount_off': 'amount_off',
            'currency': 'currency',
            'currency_options': 'currency_options',
            'duration': 'duration',
            'duration_in_months': 'duration_in_months',
            'applies_to': 'applies_to',
        })) }} as terms,
        metadata,
        max_redemptions,
        times_redeemed,
        valid,
        deleted,
        created,
        redeem_by,
        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

),

final as (

    select
        id as coupon_id,

        name as coupon_name,
        terms.duration,
        terms.duration_in_months,
        terms.percent_off,
        terms.amount_off_minor,
        terms.currency,
        terms.currency_options,
        terms.product_ids,
        metadata,

        max_redemptions as max_redemption_count,
        times_redeemed as redemption_count,

        coalesce(valid, false) as is_valid,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('redeem_by') }} as redeem_by_at,

        _batch_id,
        _extracted_at

    from latest_versions

)

select * from final
