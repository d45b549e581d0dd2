{% snapshot snap_stripe__subscriptions %}

{{
    config(
        unique_key='subscription_id',
        strategy='check',
        check_cols=['state_digest'],
        updated_at='extracted_at',
    )
}}

with

stg_stripe__subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

final as (

    select
        subscription_id,
        stripe_customer_id,
        status,
        currency,
        created_at,
        start_at,
        trial_start_at,
        trial_end_at,
        cancel_at,
        is_cancel_at_period_end,
        canceled_at,
        ended_at,
        pause_behavior,
        pause_resumes_at,
        items,
        discounts,
        concat_ws(
            '|',
            status,
            coalesce(cast(trial_end_at as string), ''),
            coalesce(cast(cancel_at as string), ''),
            coalesce(cast(ended_at as string), ''),
            coalesce(pause_behavior, ''),
            coalesce(cast(pause_resumes_at as string), ''),
            {{ json_list_digest('items', [['id'], ['price.id', 'plan.id'], ['quantity']]) }},
            {{ json_list_digest('discounts', [['id', 'self']]) }}
        ) as state_digest,
        _extracted_at as extracted_at

    from stg_stripe__subscriptions

)

select * from final

{% endsnapshot %}
