with

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

numbered as (

    select
        event_id,
        subscription_id,
        event_type,
        occurred_at,
        object,
        previous_attributes,
        type_rank,
        row_number() over (
            partition by subscription_id order by occurred_at, type_rank, event_id
        ) as event_number,
        count(*) over (partition by subscription_id, occurred_at, type_rank) as tied_count

    from subscription_events

),

-- Stripe's clock has whole seconds and delivery has no order, so within one second only the
-- previous attributes of an update show which came first.
tied as (

    select
        event_id,
        subscription_id,
        occurred_at,
        object,
        previous_attributes,
        event_number as fallback_number,
        min(event_number) over (partition by subscription_id, occurred_at) as first_number
    from numbered
    where type_rank = 1 and tied_count between 2 and 50

),

-- The first pass takes the state before a second from the fallback order. The second pass takes it
-- from the first one, because the second before may be tied as well.
{%- for pass in (1, 2) %}
{%- set records_before = 'numbered' if pass == 1 else 'ordered_1' %}

outcomes_{{ pass }} as (

    select
        subscription_id,
        occurred_at,
        event_id,
        object,
        previous_attributes
    from tied

    union all

    select
        tied.subscription_id,
        tied.occurred_at,
        '' as event_id,
        before.object,
        null as previous_attributes

    from tied
    left join {{ records_before }} as before
        on
            tied.subscription_id = before.subscription_id
            and tied.first_number - 1 = before.event_number
    where tied.fallback_number = tied.first_number

),

pairs_{{ pass }} as (

    select
        later.subscription_id,
        later.occurred_at,
        later.event_id,
        later.fallback_number,
        earlier.event_id as other_event_id,
        case
            when earlier.object is null then 0
            when {{ json_agrees_with('earlier.object', 'later.previous_attributes') }} then 1
            else -1
        end as agreement,
        case
            when {{ json_agrees_with('later.object', 'earlier.previous_attributes') }} then 1
            else -1
        end as reverse_agreement

    from tied as later
    inner join outcomes_{{ pass }} as earlier
        on
            later.subscription_id = earlier.subscription_id
            and later.occurred_at = earlier.occurred_at
            and later.event_id != earlier.event_id

),

orders_{{ pass }} as (

    select
        subscription_id,
        occurred_at,
        min(fallback_number) as first_number,
        {{ order_within_second(
            'event_id', 'other_event_id', 'agreement', 'reverse_agreement', 'fallback_number'
        ) }} as ordered_ids
    from pairs_{{ pass }}
    group by
        subscription_id,
        occurred_at

),

ordered_{{ pass }} as (

    select
        numbered.event_id,
        numbered.subscription_id,
        numbered.object,
        coalesce(
            orders.first_number + array_position(orders.ordered_ids, numbered.event_id) - 1,
            numbered.event_number
        ) as event_number

    from numbered
    left join orders_{{ pass }} as orders
        on
            numbered.subscription_id = orders.subscription_id
            and numbered.occurred_at = orders.occurred_at
            and numbered.type_rank = 1

),
{%- endfor %}

final as (

    select
        numbered.event_id,
        numbered.subscription_id,
        numbered.event_type,
        numbered.occurred_at,
        ordered_2.event_number,
        numbered.object,
        numbered.previous_attributes

    from numbered
    inner join ordered_2
        on numbered.event_id = ordered_2.event_id

)

select * from final
