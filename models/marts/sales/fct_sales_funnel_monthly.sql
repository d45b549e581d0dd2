with

fct_opportunity_stages as (

    select * from {{ ref('fct_opportunity_stages') }}

),

-- A deal counts once in a stage, in the month in which it came there first.
first_visits as (

    select
        opportunity_id,
        stage_name,
        stage_number,
        visit_number,
        amount_usd,
        left_at,
        stage_days,
        {{ month_start('entered_at') }} as cohort_month
    from fct_opportunity_stages
    where not is_closed and stage_visit_number = 1

),

outcomes as (

    select
        opportunity_id,
        max(cast(is_won and is_current as integer)) = 1 as is_won,
        max(cast(is_closed and is_current as integer)) = 1 as is_closed
    from fct_opportunity_stages
    group by opportunity_id

),

later_stages as (

    select
        first_visits.opportunity_id,
        first_visits.stage_name,
        max(stages.stage_number) as furthest_stage_number
    from first_visits
    inner join fct_opportunity_stages as stages
        on first_visits.opportunity_id = stages.opportunity_id
    where
        stages.visit_number > first_visits.visit_number
        and (stages.is_won or not stages.is_closed)
    group by
        first_visits.opportunity_id,
        first_visits.stage_name

),

judged as (

    select
        first_visits.*,
        coalesce(later_stages.furthest_stage_number > first_visits.stage_number, false)
            as is_converted,
        outcomes.is_won,
        outcomes.is_closed

    from first_visits
    inner join outcomes
        on first_visits.opportunity_id = outcomes.opportunity_id
    left join later_stages
        on
            first_visits.opportunity_id = later_stages.opportunity_id
            and first_visits.stage_name = later_stages.stage_name

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
        coalesce(sum(amount_usd), 0) as entered_usd,
        coalesce(sum(amount_usd) filter (where is_converted), 0) as converted_usd,
        {{ percentile('case when left_at is not null then stage_days end', 0.5) }}
            as median_stage_days

    from judged
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
        cast(converted_count as double) / entered_count as conversion_rate,
        cast(won_count as double) / entered_count as won_rate,
        cast(median_stage_days as double) as median_stage_days

    from summed

)

select * from final
