-- Proves that every item that Stripe ever listed on a subscription is in the mart, even as rows
-- that do not count. It reads events and extracts, because a check of the versions would miss an
-- item lost before them. Where a subscription has events, its extracts are ignored: an old extract
-- may list an item that was already gone.
with

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

event_items as (

    select
        subscription_id,
        {{ explode('items') }} as item
    from stg_stripe__subscription_events

),

extract_items as (

    select
        extracts.subscription_id,
        {{ explode('extracts.items') }} as item
    from stg_stripe__subscription_extracts as extracts
    left join stg_stripe__subscription_events as events
        on extracts.subscription_id = events.subscription_id
    where events.event_id is null

),

shown as (

    select
        subscription_id,
        item.subscription_item_id
    from event_items

    union

    select
        subscription_id,
        item.subscription_item_id
    from extract_items

)

select
    shown.subscription_id,
    shown.subscription_item_id
from shown
left join fct_subscription_item_mrr
    on
        shown.subscription_id = fct_subscription_item_mrr.subscription_id
        and shown.subscription_item_id = fct_subscription_item_mrr.subscription_item_id
where fct_subscription_item_mrr.subscription_item_id is null
