with

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

),

open_stages as (

    select count(*) as open_stage_count
    from int_opportunity_stages_ranked
    where not is_closed

),

compared as (

    select
        *,
        lag(stage_name) over (
            partition by opportunity_id order by state_number
        ) as previous_stage_name
    from int_opportunity_states
    where stage_name is not null

),

-- A save that left the stage as it was belongs to the visit that was under way.
numbered as (

    select
        *,
        sum(case when stage_name = previous_stage_name then 0 else 1 end) over (
            partition by opportunity_id
            order by state_number
            rows between unbounded preceding and current row
        ) as interval_number
    from compared

),

entered as (

    select
        *,
        min(valid_from_at) over (partition by opportunity_id, interval_number) as entered_at
    from numbered

),

-- What the record says of the second of a save is said after it: the owner is who has it then.
visits as (

    select
        opportunity_id,
        interval_number,
        stage_name,
        entered_at,
        arg_max(amount_usd, state_number) as amount_usd,
        arg_max(sales_rep_id, state_number) filter (where valid_from_at = entered_at)
            as sales_rep_id
    from entered
    group by
        opportunity_id,
        interval_number,
        stage_name,
        entered_at

),

neighbours as (

    select
        visits.*,
        ranked.stage_number,
        ranked.is_closed,
        ranked.is_won,
        row_number() over (
            partition by visits.opportunity_id, visits.stage_name order by visits.interval_number
        ) as stage_interval_number,
        lead(visits.entered_at) over deal as left_at,
        lag(visits.stage_name) over deal as previous_stage_name,
        lead(visits.stage_name) over deal as next_stage_name,
        lag(ranked.stage_number) over deal as previous_stage_number,
        lag(ranked.is_closed) over deal as is_previous_closed,
        least(ranked.stage_number, open_stages.open_stage_count + 1) as reached_number

    from visits
    inner join int_opportunity_stages_ranked as ranked
        on visits.stage_name = ranked.stage_name
    cross join open_stages
    window deal as (partition by visits.opportunity_id order by visits.interval_number)

),

final as (

    select
        opportunity_id,
        interval_number,
        stage_name,
        stage_number,
        stage_interval_number,
        sales_rep_id,
        entered_at,
        left_at,
        previous_stage_name,
        next_stage_name,
        amount_usd,
        is_closed,
        is_won,
        left_at is null as is_current,
        coalesce(not is_previous_closed and not is_closed, false)
        and stage_number < previous_stage_number as is_regression,
        coalesce(is_previous_closed and not is_closed, false) as is_reopening,
        case
            when is_previous_closed or (is_closed and not is_won) then 0
            else greatest(coalesce(reached_number - previous_stage_number - 1, 0), 0)
        end as skipped_stage_count

    from neighbours

)

select * from final
