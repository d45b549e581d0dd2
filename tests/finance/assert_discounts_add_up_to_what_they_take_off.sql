-- Proves that the parts of an interval's discount add up to it, to the last decimal. Written the
-- easy way, joined from the parts to the intervals, it would miss intervals whose discount has
-- no parts.
with

intervals as (

    select
        subscription_item_id,
        valid_from_at,
        discount_mrr
    from {{ ref('fct_subscription_item_mrr') }}

),

parts as (

    select
        subscription_item_id,
        valid_from_at,
        -discount_mrr as discount_mrr
    from {{ ref('fct_subscription_item_discounts') }}

),

both_sides as (

    select * from intervals
    union all
    select * from parts

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
