-- Proves, against the dates in events and in the newest extract, that the intervals of a
-- subscription start with its first instant and that nothing counts after its end. A check of the
-- active subscriptions would miss a history that starts with the first webhook, or an end that is a
-- month late.
with

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

stg_stripe__subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

shown as (

    select
        subscription_id,
        created_at,
        start_at,
        ended_at
    from stg_stripe__subscriptions

    union all

    select
        subscription_id,
        created_at,
        start_at,
        ended_at
    from stg_stripe__subscription_events

),

dates as (

    select
        subscription_id,
        least(min(created_at), min(start_at)) as begins_at,
        min(ended_at) as ended_at
    from shown
    group by subscription_id

),

lives as (

    select
        subscription_id,
        min(valid_from_at) as first_instant_at,
        max(
            case
                when mrr_exclusion_reason is null
                    then coalesce(valid_to_at, cast('9999-12-31' as timestamp))
            end
        ) as counts_until_at

    from fct_subscription_item_mrr
    group by subscription_id

)

select
    lives.subscription_id,
    dates.begins_at,
    lives.first_instant_at,
    dates.ended_at,
    lives.counts_until_at

from dates
inner join lives
    on dates.subscription_id = lives.subscription_id
where
    lives.first_instant_at != dates.begins_at
    or lives.counts_until_at > dates.ended_at
