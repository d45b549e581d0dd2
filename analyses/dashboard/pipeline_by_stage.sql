-- How much is open in each stage, at the end of each month and now?
with

fct_pipeline_daily as (

    select * from {{ ref('fct_pipeline_daily') }}

),

month_ends as (

    select
        {{ month_start('pipeline_date') }} as pipeline_month,
        max(pipeline_date) as pipeline_date
    from fct_pipeline_daily
    group by {{ month_start('pipeline_date') }}

),

final as (

    select
        month_ends.pipeline_month,
        fct_pipeline_daily.stage_number,
        fct_pipeline_daily.stage_name,
        sum(fct_pipeline_daily.opportunity_count) as opportunity_count,
        sum(fct_pipeline_daily.amount_usd) as amount_usd,
        sum(fct_pipeline_daily.weighted_usd) as weighted_usd,
        sum(fct_pipeline_daily.overdue_usd) as overdue_usd

    from fct_pipeline_daily
    inner join month_ends
        on fct_pipeline_daily.pipeline_date = month_ends.pipeline_date
    group by
        month_ends.pipeline_month,
        fct_pipeline_daily.stage_number,
        fct_pipeline_daily.stage_name

)

select * from final
order by
    pipeline_month,
    stage_number nulls last,
    stage_name
