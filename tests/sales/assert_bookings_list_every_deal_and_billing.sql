-- Proves that no deal and no billing is lost. Each won deal is in fct_bookings_to_billings exactly
-- once, and each subscription that ever had MRR at the end of a day is in it, with a deal or
-- without one, if there are deals at all. Unique rows alone would miss deals that a join dropped.
with

won_deals as (

    select opportunity_id
    from {{ ref('fct_opportunities') }}
    where is_won

),

deals_listed as (

    select
        won_deals.opportunity_id,
        count(bookings.booking_id) as row_count

    from won_deals
    left join {{ ref('fct_bookings_to_billings') }} as bookings
        on won_deals.opportunity_id = bookings.opportunity_id
    group by won_deals.opportunity_id

),

paying_subscriptions as (

    select distinct items.subscription_id
    from {{ ref('fct_subscription_item_mrr') }} as items
    inner join {{ ref('int_as_of') }} as int_as_of
        on items.valid_from_at <= int_as_of.as_of_at
    where
        items.mrr > 0
        and coalesce(cast(items.valid_to_at as date) > cast(items.valid_from_at as date), true)

)

select
    'won deal' as record_type,
    opportunity_id as record_id,
    row_count
from deals_listed
where row_count != 1

union all

select
    'subscription' as record_type,
    paying_subscriptions.subscription_id as record_id,
    0 as row_count
from paying_subscriptions
left join {{ ref('fct_bookings_to_billings') }} as bookings
    on paying_subscriptions.subscription_id = bookings.subscription_id
where
    bookings.booking_id is null
    and exists (
        select deals.opportunity_id
        from {{ ref('fct_opportunities') }} as deals
    )
