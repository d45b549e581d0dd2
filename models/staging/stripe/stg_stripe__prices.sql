with

source as (

    select * from {{ source('stripe', 'prices') }}

),

final as (

    select
        id as price_id,
        {{ expandable_id('product') }} as product_id,

        nickname,
        lookup_key,
        upper(currency) as currency,
        type as price_type,
        billing_scheme,
        {{ json_string('recurring', 'interval') }} as recurring_interval,
        cast({{ json_string('recurring', 'interval_count') }} as integer)
            as recurring_interval_count,
        {{ json_string('recurring', 'usage_type') }} as usage_type,
        {{ json_string('recurring', 'meter') }} as meter_id,
        cast({{ json_string('recurring', 'trial_period_days') }} as integer) as trial_period_days,
        tiers_mode,
        tax_behavior,

        -- The whole amount is null where the price is a fraction of the minor unit.
        cast(coalesce(unit_amount_decimal, cast(unit_amount as string)) as decimal(38, 12))
            as unit_amount_decimal,
        tiers,
        transform_quantity,
        currency_options,
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
