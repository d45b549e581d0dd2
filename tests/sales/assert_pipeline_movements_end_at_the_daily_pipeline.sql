-- Proves that the movements explain the pipeline: each month's closing equals the daily pipeline
-- at the end of the month, or now. The movements add up by construction, so only the days show a
-- missing reopening, or a deal that is won twice.
with

months as (

    select
        pipeline_month,
        sum(closing_usd) as closing_usd,
        sum(closing_count) as closing_count
    from {{ ref('fct_pipeline_movements_monthly') }}
    group by pipeline_month

),

days as (

    select
        fct_pipeline_daily.pipeline_date,
        sum(fct_pipeline_daily.amount_usd) as amount_usd,
        sum(fct_pipeline_daily.opportunity_count) as opportunity_count
    from {{ ref('fct_pipeline_daily') }} as fct_pipeline_daily
    group by fct_pipeline_daily.pipeline_date

)

select
    months.pipeline_month,
    months.closing_usd,
    days.amount_usd,
    months.closing_count,
    days.opportunity_count
from months
cross join {{ ref('int_as_of') }} as int_as_of
left join days
    on
        days.pipeline_date = least(
            int_as_of.as_of_date,
            cast({{ dbt.dateadd(
                'day', -1, dbt.dateadd('month', 1, 'months.pipeline_month')
            ) }} as date)
        )
where
    months.closing_usd != coalesce(days.amount_usd, 0)
    or months.closing_count != coalesce(days.opportunity_count, 0)
