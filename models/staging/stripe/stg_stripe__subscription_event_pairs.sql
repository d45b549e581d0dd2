{#-
    The raw table is read for few events, found by narrow keys, because their objects are long.
-#}
with

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

events as (

    select
        event_id,
        subscription_id,
        event_type not in ('customer.subscription.created', 'customer.subscription.deleted')
            as is_update,
        occurred_at,
        _batch_id,
        _source_file,
        _source_row
    from stg_stripe__subscription_events

),

seconds as (

    select
        subscription_id,
        occurred_at,
        lag(occurred_at) over (
            partition by subscription_id order by occurred_at
        ) as previous_occurred_at,
        count(*) filter (where is_update) as update_count
    from events
    group by
        subscription_id,
        occurred_at

),

pairs as (

    select
        later.event_id as later_event_id,
        earlier.event_id as earlier_event_id

    from seconds
    inner join events as later
        on
            seconds.subscription_id = later.subscription_id
            and seconds.occurred_at = later.occurred_at
    inner join events as earlier
        on
            seconds.subscription_id = earlier.subscription_id
            and earlier.occurred_at in (seconds.occurred_at, seconds.previous_occurred_at)
            and later.event_id != earlier.event_id
    where
        seconds.update_count between 2 and 50
        and later.is_update

),

compared as (

    select later_event_id as event_id
    from pairs
    union distinct
    select earlier_event_id as event_id
    from pairs

),

-- From a list, so that the engine expects few ids and looks them up in the raw table, not the
-- reverse, which would keep all the objects in memory.
compared_ids as (

    select {{ explode('event_ids') }} as event_id
    from (select array_agg(event_id) as event_ids from compared) as lists

),

objects as (

    select
        events.event_id,
        {{ json_value('source.data', 'object') }} as object,
        {{ json_value('source.data', 'previous_attributes') }} as previous_attributes

    from compared_ids
    inner join events
        on compared_ids.event_id = events.event_id
    inner join {{ source('stripe', 'events') }} as source
        on
            events.event_id = source.id
            and events._batch_id = source._batch_id
            and events._source_file = source._source_file
            and events._source_row = source._source_row

),

final as (

    select
        pairs.later_event_id,
        pairs.earlier_event_id,
        {{ json_agrees_with('earlier.object', 'later.previous_attributes') }} as is_consistent

    from pairs
    inner join objects as later
        on pairs.later_event_id = later.event_id
    inner join objects as earlier
        on pairs.earlier_event_id = earlier.event_id

)

select * from final
