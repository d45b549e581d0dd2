-- Which share of each month's new MRR is left, month by month?
with

fct_revenue_cohorts as (

    select * from {{ ref('fct_revenue_cohorts') }}

),

final as (

    select
        cohort_month,
        months_since_number,
        cohort_mrr_usd,
        mrr_usd,
        cohort_account_count,
        paying_account_count

    from fct_revenue_cohorts
    where is_month_closed

)

select * from final
order by
    cohort_month,
    months_since_number
