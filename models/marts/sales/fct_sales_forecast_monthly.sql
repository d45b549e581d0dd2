with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

fct_pipeline_monthly as (

    select * from {{ ref('fct_pipeline_monthly') }}

),

int_opportunity_pipeline_movements as (

    select * from {{ ref('int_opportunity_pipeline_movements') }}

),

-- The outcome of a month for a deal is its last movement in the month.
outcomes as (

    select
        opportunity_id,
        movement_month,
        movement_type as outcome,
        -amount_usd as outcome_usd
    from int_opportunity_pipeline_movements
    where movement_type in ('created', 'reopened', 'won', 'lost', 'deleted')
    qualify
        row_number() over (
            partition by opportunity_id, movement_month order by state_number desc
        ) = 1

),

forecasts as (

    select
        opportunity_id,
        {{ month_start('close_date') }} as forecast_month,
        coalesce(forecast_category, 'Unknown') as forecast_category,
        amount_usd as forecast_usd,
        case when amount_usd is not null then coalesce(weighted_usd, 0) end as expected_usd
    from fct_pipeline_monthly
    where {{ month_start('close_date') }} = {{ dbt.dateadd('month', 1, 'pipeline_month') }}

),

months as (

    select {{ explode(date_series(
        'min(int_opportunity_pipeline_movements.movement_month)',
        month_start('max(int_as_of.as_of_date)'),
        'month'
    )) }} as forecast_month
    from int_opportunity_pipeline_movements
    cross join int_as_of

),

compared as (

    select
        forecasts.opportunity_id,
        forecasts.forecast_month,
        forecasts.forecast_category,
        1 as forecast_count,
        forecasts.forecast_usd,
        forecasts.expected_usd,
        coalesce(outcomes.outcome, 'open') as outcome,
        case when outcomes.outcome is null then 0 else outcomes.outcome_usd end as outcome_usd

    from forecasts
    left join outcomes
        on
            forecasts.opportunity_id = outcomes.opportunity_id
            and forecasts.forecast_month = outcomes.movement_month

    union all

    -- Wins without a forecast.
    select
        outcomes.opportunity_id,
        outcomes.movement_month as forecast_month,
        'Not forecast' as forecast_category,
        0 as forecast_count,
        0 as forecast_usd,
        0 as expected_usd,
        outcomes.outcome,
        outcomes.outcome_usd

    from outcomes
    left join forecasts
        on
            outcomes.opportunity_id = forecasts.opportunity_id
            and outcomes.movement_month = forecasts.forecast_month
    where outcomes.outcome = 'won' and forecasts.opportunity_id is null

),

-- Every deal counts twice: in its category and in the total.
categorised as (

    select
        forecast_month,
        forecast_count,
        forecast_usd,
        expected_usd,
        outcome,
        outcome_usd,
        forecast_category
    from compared

    union all

    select
        forecast_month,
        forecast_count,
        forecast_usd,
        expected_usd,
        outcome,
        outcome_usd,
        'total' as forecast_category
    from compared

),

summed as (

    select
        categorised.forecast_month,
        categorised.forecast_category,
        sum(categorised.forecast_count) as forecast_count,
        sum(categorised.forecast_usd) as forecast_usd,
        sum(categorised.expected_usd) as expected_usd,
        count(*) filter (where categorised.outcome = 'won') as won_count,
        coalesce(
            sum(categorised.outcome_usd) filter (where categorised.outcome = 'won'),
            case when count(*) filter (where categorised.outcome = 'won') = 0 then 0 end
        ) as won_usd,
        coalesce(
            sum(categorised.forecast_usd) filter (where categorised.outcome in ('lost', 'deleted')),
            case
                when count(*) filter (where categorised.outcome in ('lost', 'deleted')) = 0 then 0
            end
        ) as lost_usd,
        coalesce(
            sum(categorised.forecast_usd) filter (
                where categorised.outcome not in ('won', 'lost', 'deleted')
            ),
            case
                when count(*) filter (
                        where categorised.outcome not in ('won', 'lost', 'deleted')
                    ) = 0
                    then 0
            end
        ) as slipped_usd

    from categorised
    inner join months
        on categorised.forecast_month = months.forecast_month
    group by
        categorised.forecast_month,
        categorised.forecast_category

),

final as (

    select
        summed.forecast_month,
        summed.forecast_category,
        case summed.forecast_category
            when 'BestCase' then 'Best Case'
            when 'MostLikely' then 'Most Likely'
            when 'Forecast' then 'Commit'
            else summed.forecast_category
        end as forecast_category_label,
        {{ is_month_closed('summed.forecast_month', 'int_as_of.as_of_date') }} as is_month_closed,
        cast(summed.forecast_count as integer) as forecast_count,
        cast(summed.won_count as integer) as won_count,
        cast(summed.forecast_usd as decimal(28, 6)) as forecast_usd,
        cast(summed.expected_usd as decimal(28, 6)) as expected_usd,
        cast(summed.won_usd as decimal(28, 6)) as won_usd,
        cast(summed.lost_usd as decimal(28, 6)) as lost_usd,
        cast(summed.slipped_usd as decimal(28, 6)) as slipped_usd,
        {{ ratio('summed.won_usd', 'summed.forecast_usd') }} as realised_rate,
        {{ ratio(
            'least(summed.won_usd, summed.expected_usd)',
            'greatest(summed.won_usd, summed.expected_usd)'
        ) }} as accuracy_rate

    from summed
    cross join int_as_of

)

select * from final
