-- Proves that every item that Stripe ever listed on a subscription is in the mart, even as rows
-- that do not count. It reads events and extracts, because a check of the versions would miss an
-- item lost before them. Where a subscription has events, its extracts are ignored: an old extract
-- may list an item that was already gone.
with

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

stg_stripe__events as (

    select * from {{ ref('stg_stripe__events') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

event_items as (

    select
        object_id as subscription_id,
        {{ explode(json_array(json_value('object', 'items.data'))) }} as item
    from stg_stripe__events
    where
        object_type = 'subscription'
        and event_type like 'customer.subscription.%'

),

extract_items as (

    select
        subscription_id,
        {{ explode(json_array(json_value('object', 'items.data'))) }} as item
    from stg_stripe__subscription_extracts

),

shown as (

    select
        subscription_id,
        {{ json_string('item', 'id') }} as subscription_item_id
    from event_items

    union

    select
        extract_items.subscription_id,
        {{ json_string('extract_items.item', 'id') }} as subscription_item_id
    from extract_items
    left join stg_stripe__events
        on
            extract_items.subscription_id = stg_stripe__events.object_id
            and stg_stripe__events.event_type like 'customer.subscription.%'
    where stg_stripe__events.event_id is null

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
