with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

pipeline_intervals as (

    select
        int_opportunity_states.opportunity_id,
        int_opportunity_states.stage_name,
        int_opportunity_states.sales_rep_id,
        int_opportunity_states.forecast_category,
        int_opportunity_states.close_date,
        int_opportunity_states.amount,
        int_opportunity_states.amount_usd,
        int_opportunity_states.weighted_usd,
        {{ month_start('int_opportunity_states.valid_from_at') }} as first_month,
        case
            when int_opportunity_states.valid_to_at is null
                then {{ month_start('int_as_of.as_of_date') }}
            else cast(
                    {{ dbt.dateadd(
                        'month', -1, month_start('int_opportunity_states.valid_to_at')
                    ) }} as date
                )
        end as last_month

    from int_opportunity_states
    cross join int_as_of
    where int_opportunity_states.is_in_pipeline

),

final as (

    select
        pipeline_intervals.opportunity_id,
        {{ explode(date_series(
            'pipeline_intervals.first_month',
            'pipeline_intervals.last_month',
            'month'
        )) }} as pipeline_month,
        int_opportunities_valued.account_id,
        pipeline_intervals.sales_rep_id,
        coalesce(pipeline_intervals.stage_name, 'Unknown') as stage_name,
        pipeline_intervals.forecast_category,
        pipeline_intervals.close_date,
        cast(
            case
                when coalesce(pipeline_intervals.amount, 0) = 0 then 0
                else pipeline_intervals.amount_usd
            end as decimal(28, 6)
        ) as amount_usd,
        cast(pipeline_intervals.weighted_usd as decimal(28, 6)) as weighted_usd

    from pipeline_intervals
    left join int_opportunities_valued
        on pipeline_intervals.opportunity_id = int_opportunities_valued.opportunity_id
    where pipeline_intervals.first_month <= pipeline_intervals.last_month

)

select * from final
