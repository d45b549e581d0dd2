-- Proves that `fct_mrr_year_over_year` holds, for every account and month, the closing MRR of both
-- month-ends, and misses no account that had MRR twelve months before. A join from the mart alone
-- would miss the accounts that the mart lost: those that churned, which retention is about.
with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_mrr_year_over_year as (

    select * from {{ ref('fct_mrr_year_over_year') }}

),

expected as (

    select
        month_then.account_id,
        month_now.mrr_month,
        month_then.closing_mrr_usd as mrr_then_usd,
        month_now.closing_mrr_usd as mrr_now_usd

    from fct_mrr_monthly as month_then
    inner join fct_mrr_monthly as month_now
        on
            month_then.account_id = month_now.account_id
            and month_now.mrr_month = {{ dbt.dateadd('month', 12, 'month_then.mrr_month') }}
    where month_then.closing_mrr_usd > 0

),

both_sides as (

    select
        account_id,
        mrr_month,
        mrr_then_usd,
        mrr_now_usd,
        1 as expected_count
    from expected

    union all

    select
        account_id,
        mrr_month,
        -mrr_then_usd as mrr_then_usd,
        -mrr_now_usd as mrr_now_usd,
        -1 as expected_count
    from fct_mrr_year_over_year

)

select
    account_id,
    mrr_month,
    sum(mrr_then_usd) as difference_then_usd,
    sum(mrr_now_usd) as difference_now_usd,
    sum(expected_count) as difference_count
from both_sides
group by
    account_id,
    mrr_month
having
    sum(mrr_then_usd) != 0
    or sum(mrr_now_usd) != 0
    or sum(expected_count) != 0
