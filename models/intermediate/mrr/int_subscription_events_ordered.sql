with

stg_stripe__subscription_event_pairs as (

    select * from {{ ref('stg_stripe__subscription_event_pairs') }}

),

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

subscription_events as (

    select
        event_id,
        subscription_id,
        occurred_at,
        case event_type
            when 'customer.subscription.created' then 0
            when 'customer.subscription.deleted' then 2
            else 1
        end as type_rank
    from stg_stripe__subscription_events

),

numbered as (

    select
        event_id,
        subscription_id,
        occurred_at,
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
        event_number as fallback_number,
        min(event_number) over (partition by subscription_id, occurred_at) as first_number
    from numbered
    where type_rank = 1 and tied_count between 2 and 50

),

pairs_within as (

    select
        tied.subscription_id,
        tied.occurred_at,
        tied.event_id,
        tied.fallback_number,
        pairs.earlier_event_id as other_event_id,
        case when pairs.is_consistent then 1 else -1 end as agreement,
        case when reverse_pairs.is_consistent then 1 else -1 end as reverse_agreement

    from tied
    inner join stg_stripe__subscription_event_pairs as pairs
        on tied.event_id = pairs.later_event_id
    -- Exists only for two updates of the second: no other event is the later one of a pair with it.
    inner join stg_stripe__subscription_event_pairs as reverse_pairs
        on
            pairs.earlier_event_id = reverse_pairs.later_event_id
            and pairs.later_event_id = reverse_pairs.earlier_event_id

),

-- The first pass takes the state before a second from the fallback order. The second pass takes it
-- from the first one, because the second before may be tied as well.
{%- for pass in (1, 2) %}
{%- set records_before = 'numbered' if pass == 1 else 'ordered_1' %}

pairs_{{ pass }} as (

    select
        subscription_id,
        occurred_at,
        event_id,
        fallback_number,
        other_event_id,
        agreement,
        reverse_agreement
    from pairs_within

    union all

    select
        tied.subscription_id,
        tied.occurred_at,
        tied.event_id,
        tied.fallback_number,
        '' as other_event_id,
        case
            when pairs.is_consistent then 1
            when not pairs.is_consistent then -1
            else 0
        end as agreement,
        0 as reverse_agreement

    from tied
    left join {{ records_before }} as before
        on
            tied.subscription_id = before.subscription_id
            and tied.first_number - 1 = before.event_number
    left join stg_stripe__subscription_event_pairs as pairs
        on
            tied.event_id = pairs.later_event_id
            and before.event_id = pairs.earlier_event_id

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
        event_id,
        subscription_id,
        event_number
    from ordered_2

)

select * from final
