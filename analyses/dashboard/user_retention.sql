-- Which share of each month's sign-ups is still active, month by month?
with

fct_user_retention_cohorts as (

    select * from {{ ref('fct_user_retention_cohorts') }}

),

final as (

    select
        cohort_start_date as cohort_month,
        cohort_user_count,
        period_number,
        active_user_count,
        retention_rate

    from fct_user_retention_cohorts
    where period_type = 'month' and is_complete

)

select * from final
order by
    cohort_month,
    period_number
