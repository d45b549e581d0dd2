with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

-- A cohort is counted before any later month is read, so accounts that leave stay in it.
account_cohorts as (

    select
        account_id,
        min(mrr_month) as cohort_month
    from fct_mrr_monthly
    where closing_mrr_usd > 0
    group by account_id

),

cohorts as (

    select
        account_cohorts.cohort_month,
        count(*) as cohort_account_count,
        sum(fct_mrr_monthly.closing_mrr_usd) as cohort_mrr_usd

    from account_cohorts
    inner join fct_mrr_monthly
        on
            account_cohorts.account_id = fct_mrr_monthly.account_id
            and account_cohorts.cohort_month = fct_mrr_monthly.mrr_month
    group by account_cohorts.cohort_month

),

months as (

    select
        account_cohorts.cohort_month,
        fct_mrr_monthly.mrr_month,
        fct_mrr_monthly.is_month_closed,
        count(*) filter (where fct_mrr_monthly.closing_mrr_usd > 0) as paying_account_count,
        sum(fct_mrr_monthly.closing_mrr_usd) as mrr_usd

    from account_cohorts
    inner join fct_mrr_monthly
        on
            account_cohorts.account_id = fct_mrr_monthly.account_id
            and account_cohorts.cohort_month <= fct_mrr_monthly.mrr_month
    group by
        account_cohorts.cohort_month,
        fct_mrr_monthly.mrr_month,
        fct_mrr_monthly.is_month_closed

),

final as (

    select
        months.cohort_month,
        cast(
            {{ dbt.datediff('months.cohort_month', 'months.mrr_month', 'month') }}
            as integer
        ) as months_since_number,
        months.mrr_month,
        months.is_month_closed,
        cohorts.cohort_account_count,
        months.paying_account_count,
        cast(cohorts.cohort_mrr_usd as decimal(28, 6)) as cohort_mrr_usd,
        cast(months.mrr_usd as decimal(28, 6)) as mrr_usd,
        {{ ratio(
            'months.paying_account_count', 'cohorts.cohort_account_count'
        ) }} as logo_retention_rate,
        {{ ratio(
            'months.mrr_usd', 'cohorts.cohort_mrr_usd'
        ) }} as revenue_retention_rate

    from months
    inner join cohorts
        on months.cohort_month = cohorts.cohort_month

)

select * from final
