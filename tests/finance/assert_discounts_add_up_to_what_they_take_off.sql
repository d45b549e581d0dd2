-- Proves that the discounts of an interval add up to its total discount, to the last decimal. A
-- join from the discounts to the intervals would miss intervals whose discount has no rows.
with

both_sides as (

    select
        subscription_item_id,
        valid_from_at,
        discount_mrr
    from {{ ref('fct_subscription_item_mrr') }}

    union all

    select
        subscription_item_id,
        valid_from_at,
        -discount_mrr as discount_mrr
    from {{ ref('fct_subscription_item_discounts') }}

)

select
    subscription_item_id,
    valid_from_at,
    sum(discount_mrr) as missing_mrr
from both_sides
group by
    subscription_item_id,
    valid_from_at
having sum(discount_mrr) != 0
