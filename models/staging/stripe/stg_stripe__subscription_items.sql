with

source as (

    select * from {{ source('stripe', 'subscription_items') }}

),

final as (

    select
        id as subscription_item_id,
        subscription as subscription_id,
        {{ json_string('coalesce(price, plan)', 'id') }} as price_id,

        cast(quantity as bigint) as quantity,
        {{ json_object({
            'id': 'id',
            'created': 'created',
            'current_period_start': 'current_period_start',
            'current_period_end': 'current_period_end',
            'discounts': 'discounts',
            'metadata': 'metadata',
            'plan': 'plan',
            'price': 'price',
            'quantity': 'cast(quantity as bigint)',
            'subscription': 'subscription',
            'tax_rates': 'tax_rates',
        }) }} as item,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('current_period_start') }} as current_period_start_at,
        {{ from_epoch('current_period_end') }} as current_period_end_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(cast({{ json_string('coalesce(price, plan)', 'livemode') }} as boolean), true)
    qualify {{ is_latest_version('id') }}

)

select * from final
