-- How much MRR of each quarter's new customers remains after 3, 6, 12 and 24 months? A quarter has
-- a figure once its youngest cohort is that old.
with

fct_revenue_cohorts as (

    select
        cohort_month,
        months_since_number,
        cohort_account_count,
        mrr_usd
    from {{ ref('fct_revenue_cohorts') }}
    where is_month_closed

),

-- The age of a quarter is the age of its youngest cohort.
ages as (

    select
        cohort_month,
        cast(date_trunc('quarter', cohort_month) as date) as cohort_quarter_date,
        max(months_since_number) as age_months

    from fct_revenue_cohorts
    group by cohort_month

),

quarters as (

    select
        cohort_quarter_date,
        min(age_months) as age_months

    from ages
    group by cohort_quarter_date

),

months as (

    select
        quarters.cohort_quarter_date,
        fct_revenue_cohorts.months_since_number,
        sum(fct_revenue_cohorts.cohort_account_count) as account_count,
        sum(fct_revenue_cohorts.mrr_usd) as mrr_usd

    from fct_revenue_cohorts
    inner join ages
        on fct_revenue_cohorts.cohort_month = ages.cohort_month
    inner join quarters
        on
            ages.cohort_quarter_date = quarters.cohort_quarter_date
            and fct_revenue_cohorts.months_since_number <= quarters.age_months
    group by
        quarters.cohort_quarter_date,
        fct_revenue_cohorts.months_since_number

),

final as (

    select
        cohort_quarter_date,
        max(account_count) as account_count,
        max(mrr_usd) filter (where months_since_number = 0) as first_mrr_usd,
        {{ ratio(
            'max(mrr_usd) filter (where months_since_number = 3)',
            'max(mrr_usd) filter (where months_since_number = 0)'
        ) }} as kept_3_months_rate,
        {{ ratio(
            'max(mrr_usd) filter (where months_since_number = 6)',
            'max(mrr_usd) filter (where months_since_number = 0)'
        ) }} as kept_6_months_rate,
        {{ ratio(
            'max(mrr_usd) filter (where months_since_number = 12)',
            'max(mrr_usd) filter (where months_since_number = 0)'
        ) }} as kept_12_months_rate,
        {{ ratio(
            'max(mrr_usd) filter (where months_since_number = 24)',
            'max(mrr_usd) filter (where months_since_number = 0)'
        ) }} as kept_24_months_rate

    from months
    group by cohort_quarter_date

)

select * from final
order by cohort_quarter_date
