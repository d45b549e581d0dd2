{#-
    The raw table is read for few events, found by narrow keys, because their objects are long.
-#}
with

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

-- Any event of the first second may be the first one.
first_seconds as (

    select
        subscription_id,
        min(occurred_at) as occurred_at
    from stg_stripe__subscription_events
    group by subscription_id
    having
        min(occurred_at) filter (where event_type = 'customer.subscription.created') is null
        or min(occurred_at) filter (where event_type = 'customer.subscription.created')
        > min(occurred_at)

),

-- From a list, so that the engine expects few ids and looks them up in the raw table, not the
-- reverse, which would keep all the objects in memory.
first_ids as (

    select {{ explode('event_ids') }} as event_id
    from (
        select array_agg(events.event_id) as event_ids

        from first_seconds
        inner join stg_stripe__subscription_events as events
            on
                first_seconds.subscription_id = events.subscription_id
                and first_seconds.occurred_at = events.occurred_at
    ) as lists

),

objects as (

    select
        events.event_id,
        {{ json_overlay(
            json_value('source.data', 'object'), json_value('source.data', 'previous_attributes')
        ) }} as subscription_object

    from first_ids
    inner join stg_stripe__subscription_events as events
        on first_ids.event_id = events.event_id
    inner join {{ source('stripe', 'events') }} as source
        on
            events.event_id = source.id
            and events._batch_id = source._batch_id
            and events._source_file = source._source_file
            and events._source_row = source._source_row

),

with_fields as (

    select
        event_id,
        subscription_object,
        {{ json_fields('subscription_object', stripe_subscription_fields()) }} as fields
    from objects

),

with_subscription as (

    select
        event_id,
        {{ stripe_subscription('fields', json_value('subscription_object', 'items.data')) }}
            as subscription
    from with_fields

),

final as (

    select
        event_id,
        subscription.subscription_id,
        subscription.stripe_customer_id,

        subscription.status,
        subscription.currency,
        subscription.pause_behavior,
        subscription.cancellation_reason,

        subscription.items,
        subscription.discounts,
        subscription.default_tax_rates,

        subscription.has_more_items,
        subscription.is_cancel_at_period_end,

        subscription.created_at,
        subscription.start_at,
        subscription.trial_start_at,
        subscription.trial_end_at,
        subscription.current_period_end_at,
        subscription.pause_resumes_at,
        subscription.cancel_at,
        subscription.ended_at

    from with_subscription

)

select * from final
