with

fct_opportunity_stages as (

    select * from {{ ref('fct_opportunity_stages') }}

),

-- A stage that a deal left in the second of its entry counts nowhere.
held_intervals as (

    select
        opportunity_id,
        stage_name,
        stage_number,
        visit_number,
        amount_usd,
        entered_at,
        left_at,
        stage_days,
        is_closed,
        is_won,
        is_current
    from fct_opportunity_stages
    where left_at is null or left_at > entered_at

),

-- A deal counts once in a stage, in the month in which it enters the stage first.
first_intervals as (

    select
        opportunity_id,
        stage_name,
        stage_number,
        visit_number,
        amount_usd,
        left_at,
        stage_days,
        {{ month_start('entered_at') }} as cohort_month
    from held_intervals
    where not is_closed
    qualify
        row_number() over (partition by opportunity_id, stage_name order by visit_number) = 1

),

outcomes as (

    select
        opportunity_id,
        max(cast(is_won and is_current as integer)) = 1 as is_won,
        max(cast(is_closed and is_current as integer)) = 1 as is_closed
    from held_intervals
    group by opportunity_id

),

later_stages as (

    select
        first_intervals.opportunity_id,
        first_intervals.stage_name,
        max(stages.stage_number) as furthest_stage_number
    from first_intervals
    inner join held_intervals as stages
        on first_intervals.opportunity_id = stages.opportunity_id
    where
        stages.visit_number > first_intervals.visit_number
        and (stages.is_won or not stages.is_closed)
    group by
        first_intervals.opportunity_id,
        first_intervals.stage_name

),

compared as (

    select
        first_intervals.cohort_month,
        first_intervals.stage_name,
        first_intervals.stage_number,
        first_intervals.amount_usd,
        first_intervals.left_at,
        first_intervals.stage_days,
        coalesce(later_stages.furthest_stage_number > first_intervals.stage_number, false)
            as is_converted,
        outcomes.is_won,
        outcomes.is_closed

    from first_intervals
    inner join outcomes
        on first_intervals.opportunity_id = outcomes.opportunity_id
    left join later_stages
        on
            first_intervals.opportunity_id = later_stages.opportunity_id
            and first_intervals.stage_name = later_stages.stage_name

),

summed as (

    select
        cohort_month,
        stage_name,
        stage_number,
        count(*) as entered_count,
        count(*) filter (where is_converted) as converted_count,
        count(*) filter (where not is_converted and is_closed) as dropped_count,
        count(*) filter (where not is_converted and not is_closed) as undecided_count,
        count(*) filter (where is_won) as won_count,
        sum(amount_usd) as entered_usd,
        coalesce(
            sum(amount_usd) filter (where is_converted),
            case when count(*) filter (where is_converted) = 0 then 0 end
        ) as converted_usd,
        {{ percentile('case when left_at is not null then stage_days end', 0.5) }}
            as median_stage_days

    from compared
    group by
        cohort_month,
        stage_name,
        stage_number

),

final as (

    select
        cohort_month,
        stage_name,
        stage_number,
        cast(entered_count as integer) as entered_count,
        cast(converted_count as integer) as converted_count,
        cast(dropped_count as integer) as dropped_count,
        cast(undecided_count as integer) as undecided_count,
        cast(won_count as integer) as won_count,
        cast(entered_usd as decimal(28, 6)) as entered_usd,
        cast(converted_usd as decimal(28, 6)) as converted_usd,
        {{ ratio('converted_count', 'entered_count') }} as conversion_rate,
        {{ ratio('won_count', 'entered_count') }} as won_rate,
        cast(median_stage_days as double) as median_stage_days

    from summed

)

select * from final
