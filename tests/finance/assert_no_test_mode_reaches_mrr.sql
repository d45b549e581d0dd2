-- Proves that no subscription or customer of Stripe's test mode has an interval. It reads raw,
-- because staging no longer has the flag, so a check of staging could not fail. An event has the
-- flag on itself and on its object; either is enough.
with

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

raw_customers as (

    select * from {{ source('stripe', 'customers') }}

),

raw_events as (

    select * from {{ source('stripe', 'events') }}

),

raw_subscriptions as (

    select * from {{ source('stripe', 'subscriptions') }}

),

test_mode_objects as (

    select id
    from raw_customers
    where not livemode

    union

    select id
    from raw_subscriptions
    where not livemode

    union

    select {{ json_string('data', 'object.id') }} as id
    from raw_events
    where
        not livemode
        or {{ json_string('data', 'object.livemode') }} = 'false'

)

select
    fct_subscription_item_mrr.subscription_item_id,
    fct_subscription_item_mrr.stripe_customer_id
from fct_subscription_item_mrr
inner join test_mode_objects
    on
        fct_subscription_item_mrr.subscription_id = test_mode_objects.id
        or fct_subscription_item_mrr.stripe_customer_id = test_mode_objects.id
