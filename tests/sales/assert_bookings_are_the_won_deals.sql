-- Proves that every won deal with an owner is booked once, with one representative, in number and
-- US dollars by month. A join to quotas of two users with one e-mail address would count it twice.
with

both_sides as (

    select
        sales_month,
        won_count,
        bookings_usd
    from {{ ref('fct_sales_rep_monthly') }}

    union all

    select
        close_month as sales_month,
        -1 as won_count,
        -coalesce(amount_usd, 0) as bookings_usd
    from {{ ref('fct_opportunities') }}
    where is_won and closing_sales_rep_id is not null

)

select
    sales_month,
    sum(won_count) as won_count,
    sum(bookings_usd) as bookings_usd
from both_sides
group by sales_month
having sum(won_count) != 0 or sum(bookings_usd) != 0
