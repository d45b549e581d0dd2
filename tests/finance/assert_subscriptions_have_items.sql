-- Warns of subscriptions without any item in the mart, because the export has neither the list of
-- their items nor the items on their own. Their MRR is unknown, and every total lacks it without a
-- word. A test of the items would pass, since it finds none to test.
{{ config(severity='warn') }}

with

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

stg_stripe__subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

)

select
    stg_stripe__subscriptions.subscription_id,
    stg_stripe__subscriptions.stripe_customer_id,
    stg_stripe__subscriptions.status

from stg_stripe__subscriptions
left join fct_subscription_item_mrr
    on stg_stripe__subscriptions.subscription_id = fct_subscription_item_mrr.subscription_id
where
    fct_subscription_item_mrr.subscription_id is null
    and stg_stripe__subscriptions.status is not null
