with

source as (

    select * from {{ source('stripe', 'plans') }}

),

final as (

    select
        id as price_id,
        {{ expandable_id('product') }} as product_id,

        nickname,
        upper(currency) as currency,
        'recurring' as price_type,
        billing_scheme,
        "interval" as recurring_interval, -- noqa: references.quoting
        cast(interval_count as integer) as recurring_interval_count,
        usage_type,
        meter as meter_id,
        cast(trial_period_days as integer) as trial_period_days,
        tiers_mode,

        cast(coalesce(amount_decimal, cast(amount as string)) as decimal(38, 12))
            as unit_amount_decimal,
        tiers,
        transform_usage as transform_quantity,
        metadata,

        coalesce(active, false) as is_active,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
