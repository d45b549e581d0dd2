-- Proves that every item that Stripe ever showed on a subscription is in the mart, be it as a row
-- that does not count. Read from the events and extracts themselves: written the easy way, from
-- the versions, it would miss an item that was lost before it got there. Where there are events an
-- extract alone proves nothing, since an old one may repeat what was long over.
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
