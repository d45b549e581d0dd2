with recursive

stg_stripe__events as (

    select * from {{ ref('stg_stripe__events') }}

),

subscription_events as (

    select
        event_id,
        object_id as subscription_id,
        event_type,
        occurred_at,
        object,
        previous_attributes,
        case event_type
            when 'customer.subscription.created' then 0
            when 'customer.subscription.deleted' then 2
            else 1
        end as type_rank

    from stg_stripe__events
    where
        event_type like 'customer.subscription.%'
        and object_type = 'subscription'

),

-- Stripe's clock has whole seconds and its delivery no order: within one second only what an event
-- says was there before tells which came first.
same_second_updates as (

    select
        *,
        count(*) over (partition by subscription_id, occurred_at) as update_count
    from subscription_events
    where type_rank = 1
    qualify update_count > 1

),

direct_successors as (

    select
        earlier.event_id as earlier_event_id,
        later.event_id as later_event_id,
        later.update_count

    from same_second_updates as earlier
    inner join same_second_updates as later
        on
            earlier.subscription_id = later.subscription_id
            and earlier.occurred_at = later.occurred_at
            and earlier.event_id != later.event_id
    where {{ json_agrees_with('earlier.object', 'later.previous_attributes') }}

),

states_before as (

    select
        same_second_updates.event_id,
        arg_max(
            subscription_events.object,
            row(
                subscription_events.occurred_at,
                subscription_events.type_rank,
                subscription_events.event_id
            )
        ) as object_before

    from same_second_updates
    inner join subscription_events
        on
            same_second_updates.subscription_id = subscription_events.subscription_id
            and (
                same_second_updates.occurred_at > subscription_events.occurred_at
                or (
                    same_second_updates.occurred_at = subscription_events.occurred_at
                    and subscription_events.type_rank = 0
                )
            )
    group by same_second_updates.event_id

),

firsts as (

    select same_second_updates.event_id
    from same_second_updates
    left join states_before
        on same_second_updates.event_id = states_before.event_id
    left join direct_successors
        on same_second_updates.event_id = direct_successors.later_event_id
    where
        direct_successors.later_event_id is null
        or {{ json_agrees_with(
            'states_before.object_before', 'same_second_updates.previous_attributes'
        ) }}

),

chains as (

    select
        event_id,
        cast(1 as bigint) as position_number
    from firsts

    union

    select
        direct_successors.later_event_id,
        chains.position_number + 1 as position_number
    from chains
    inner join direct_successors
        on chains.event_id = direct_successors.earlier_event_id
    where chains.position_number < direct_successors.update_count

),

positions as (

    select
        event_id,
        max(position_number) as position_number
    from chains
    group by event_id

),

final as (

    select
        subscription_events.event_id,
        subscription_events.subscription_id,
        subscription_events.event_type,
        subscription_events.occurred_at,
        row_number() over (
            partition by subscription_events.subscription_id
            order by
                subscription_events.occurred_at,
                subscription_events.type_rank,
                positions.position_number,
                subscription_events.event_id
        ) as event_number,
        subscription_events.object,
        subscription_events.previous_attributes

    from subscription_events
    left join positions
        on subscription_events.event_id = positions.event_id

)

select * from final
