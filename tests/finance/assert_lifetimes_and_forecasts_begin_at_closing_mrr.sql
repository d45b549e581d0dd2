-- Proves that the lifetime values of every closed month are of exactly the accounts that had MRR at
-- its end, with that MRR, and that every forecast begins at the same total. A comparison of sums
-- would miss an account that is lost while another is counted twice.
with

fct_account_ltv as (

    select * from {{ ref('fct_account_ltv') }}

),

fct_mrr_forecast as (

    select * from {{ ref('fct_mrr_forecast') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

paying as (

    select
        account_id,
        mrr_month,
        closing_mrr_usd
    from fct_mrr_monthly
    where is_month_closed and closing_mrr_usd > 0

),

both_sides as (

    select
        account_id,
        mrr_month,
        closing_mrr_usd,
        1 as account_count
    from paying

    union all

    select
        account_id,
        as_of_month as mrr_month,
        -closing_mrr_usd as closing_mrr_usd,
        -1 as account_count
    from fct_account_ltv

),

totals as (

    select
        mrr_month,
        sum(closing_mrr_usd) as closing_mrr_usd
    from fct_mrr_monthly
    where is_month_closed
    group by mrr_month

)

select
    account_id,
    mrr_month,
    sum(closing_mrr_usd) as difference_usd,
    sum(account_count) as difference_count
from both_sides
group by
    account_id,
    mrr_month
having
    sum(closing_mrr_usd) != 0
    or sum(account_count) != 0

union all

select
    'total' as account_id,
    fct_mrr_forecast.as_of_month as mrr_month,
    fct_mrr_forecast.forecast_mrr_usd - coalesce(totals.closing_mrr_usd, 0) as difference_usd,
    0 as difference_count
from fct_mrr_forecast
left join totals
    on fct_mrr_forecast.as_of_month = totals.mrr_month
where
    fct_mrr_forecast.horizon_months = 0
    and fct_mrr_forecast.forecast_mrr_usd != coalesce(totals.closing_mrr_usd, 0)
