with

source as (

    select * from {{ source('stripe', 'subscriptions') }}

),

final as (

    select
        id as subscription_id,
        {{ json_object({
            'id': 'id',
            'status': 'status',
            'customer': expandable_id('customer'),
            'currency': 'currency',
            'created': 'created',
            'start_date': 'start_date',
            'trial_start': 'trial_start',
            'trial_end': 'trial_end',
            'cancel_at': 'cancel_at',
            'cancel_at_period_end': 'cancel_at_period_end',
            'canceled_at': 'canceled_at',
            'current_period_end': 'current_period_end',
            'ended_at': 'ended_at',
            'pause_collection': 'pause_collection',
            'items': 'items',
            'discounts': 'discounts',
            'discount': 'discount',
            'default_tax_rates': 'default_tax_rates',
        }) }} as object,
        _extracted_at as extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from source
    where
        coalesce(livemode, true)
        and status is not null
    qualify
        row_number() over (
            partition by id, _extracted_at
            order by _batch_id desc, _source_file desc, _source_row desc
        ) = 1

)

select * from final
