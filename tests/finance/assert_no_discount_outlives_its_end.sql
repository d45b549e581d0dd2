-- Proves that where an interval is below list, a discount of its subscription or customer, other
-- than `once`, is live at its first and at its last instant. A check of the first instant alone
-- would miss an interval that is not cut where its discount ends, which understates MRR for years.
with

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

discounts as (

    select distinct
        subscription_id,
        discount_id,
        live_from_at,
        coalesce(live_to_at, cast('9999-12-31' as timestamp)) as live_to_at
    from int_subscription_version_discounts
    where
        is_resolved
        and duration != 'once'

),

discounted as (

    select
        subscription_item_id,
        subscription_id,
        valid_from_at,
        coalesce(valid_to_at, cast('9999-12-31' as timestamp)) as valid_to_at,
        discount_mrr
    from fct_subscription_item_mrr
    where discount_mrr != 0

)

select
    discounted.subscription_item_id,
    discounted.valid_from_at,
    discounted.valid_to_at,
    discounted.discount_mrr

from discounted
left join discounts
    on discounted.subscription_id = discounts.subscription_id
group by
    discounted.subscription_item_id,
    discounted.valid_from_at,
    discounted.valid_to_at,
    discounted.discount_mrr
having
    not coalesce(
        bool_or(
            discounts.live_from_at <= discounted.valid_from_at
            and discounts.live_to_at > discounted.valid_from_at
        )
        and bool_or(
            discounts.live_from_at < discounted.valid_to_at
            and discounts.live_to_at >= discounted.valid_to_at
        ),
        false
    )
