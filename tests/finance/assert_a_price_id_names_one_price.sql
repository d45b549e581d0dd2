-- Proves that every copy of a price has the amount, currency and interval that MRR uses. They never
-- change at Stripe. Two Stripe accounts may give plans of their own the same id, though, and one of
-- them would have the MRR of the other.
{{ config(severity='warn') }}

with

items as (

    select
        price,
        plan
    from {{ ref('stg_stripe__subscription_items') }}

    union all

    select
        item.price,
        item.plan
    from (
        select {{ explode('items') }} as item
        from {{ ref('int_subscription_source_records') }}
    ) as exploded

),

objects as (

    select distinct price
    from items

    union

    select distinct plan as price
    from items

),

copies as (

    select
        price.price_id,
        price.currency,
        price.unit_amount_decimal,
        price.recurring_interval,
        price.recurring_interval_count
    from objects

)

select
    prices.price_id,
    prices.currency,
    prices.unit_amount_decimal,
    copies.currency as other_currency,
    copies.unit_amount_decimal as other_unit_amount_decimal

from copies
inner join {{ ref('int_subscription_prices') }} as prices
    on copies.price_id = prices.price_id
where
    copies.unit_amount_decimal != prices.unit_amount_decimal
    or copies.currency != prices.currency
    or copies.recurring_interval != prices.recurring_interval
    or copies.recurring_interval_count != prices.recurring_interval_count
