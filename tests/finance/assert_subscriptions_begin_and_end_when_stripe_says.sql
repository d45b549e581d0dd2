-- Proves, against the newest extract of each subscription, that its intervals begin with its first
-- instant and that nothing counts from its end on. Written the easy way, by comparing what is
-- active now, it would miss a history that starts with the first webhook, or an end that comes a
-- month late.
with

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

stg_stripe__subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

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
    lives.*,
    stg_stripe__subscriptions.created_at,
    stg_stripe__subscriptions.start_at,
    stg_stripe__subscriptions.ended_at

from stg_stripe__subscriptions
inner join lives
    on stg_stripe__subscriptions.subscription_id = lives.subscription_id
where
    lives.first_instant_at
    > least(stg_stripe__subscriptions.created_at, stg_stripe__subscriptions.start_at)
    or lives.counts_until_at > stg_stripe__subscriptions.ended_at
