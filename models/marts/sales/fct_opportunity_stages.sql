{%- set deal = '(partition by intervals.opportunity_id order by intervals.interval_number)' -%}
{%- set intervals_before = '(partition by intervals.opportunity_id'
    ~ ' order by intervals.interval_number rows between unbounded preceding and 1 preceding)' -%}

with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

),

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

open_stages as (

    select count(*) as open_stage_count
    from int_opportunity_stages_ranked
    where not coalesce(is_closed, false)

),

compared as (

    select
        opportunity_id,
        state_number,
        stage_name,
        sales_rep_id,
        amount_usd,
        valid_from_at,
        lag(stage_name) over (
            partition by opportunity_id order by state_number
        ) as previous_stage_name
    from int_opportunity_states
    where stage_name is not null

),

-- A state that leaves the stage unchanged continues the interval.
numbered as (

    select
        opportunity_id,
        state_number,
        stage_name,
        sales_rep_id,
        amount_usd,
        valid_from_at,
        sum(case when stage_name = previous_stage_name then 0 else 1 end) over (
            partition by opportunity_id
            order by state_number
            rows between unbounded preceding and current row
        ) as interval_number
    from compared

),

entered as (

    select
        opportunity_id,
        state_number,
        stage_name,
        sales_rep_id,
        amount_usd,
        valid_from_at,
        interval_number,
        min(valid_from_at) over (partition by opportunity_id, interval_number) as entered_at
    from numbered

),

-- A change of owner may be a later state of the same second, so the second's last owner counts.
intervals as (

    select
        opportunity_id,
        interval_number,
        stage_name,
        entered_at,
        max_by(amount_usd, state_number) filter (where amount_usd is not null) as amount_usd,
        max_by(sales_rep_id, state_number) filter (
            where valid_from_at = entered_at and sales_rep_id is not null
        ) as sales_rep_id,
        lead(entered_at) over (
            partition by opportunity_id order by interval_number
        ) as left_at
    from entered
    group by
        opportunity_id,
        interval_number,
        stage_name,
        entered_at

),

-- An interval without duration counts nowhere, so skips and returns are measured without it.
neighbours as (

    select
        intervals.opportunity_id,
        intervals.interval_number,
        intervals.stage_name,
        intervals.sales_rep_id,
        intervals.amount_usd,
        intervals.entered_at,
        ranked.stage_number,
        ranked.is_closed,
        ranked.is_won,
        row_number() over (
            partition by intervals.opportunity_id, intervals.stage_name
            order by intervals.interval_number
        ) as stage_interval_number,
        intervals.left_at,
        coalesce(intervals.left_at > intervals.entered_at, true) as is_held,
        lag(intervals.stage_name) over {{ deal }} as previous_stage_name,
        lead(intervals.stage_name) over {{ deal }} as next_stage_name,
        {{ known_value(
            'last',
            'case when intervals.left_at > intervals.entered_at then ranked.stage_number end'
        ) }} over {{ intervals_before }} as previous_stage_number,
        {{ known_value(
            'last', 'case when intervals.left_at > intervals.entered_at then ranked.is_closed end'
        ) }} over {{ intervals_before }} as is_previous_closed,
        least(ranked.stage_number, open_stages.open_stage_count + 1) as reached_number

    from intervals
    inner join int_opportunity_stages_ranked as ranked
        on intervals.stage_name = ranked.stage_name
    cross join open_stages

),

final as (

    select
        neighbours.opportunity_id,
        cast(neighbours.interval_number as integer) as visit_number,
        int_opportunities_valued.account_id,
        neighbours.sales_rep_id,
        neighbours.stage_name,
        cast(neighbours.stage_number as integer) as stage_number,
        cast(neighbours.stage_interval_number as integer) as stage_visit_number,
        neighbours.previous_stage_name,
        neighbours.next_stage_name,
        neighbours.amount_usd,
        cast(
            case
                when
                    not neighbours.is_held
                    or neighbours.is_previous_closed
                    or (neighbours.is_closed and not neighbours.is_won)
                    then 0
                else greatest(
                        coalesce(
                            neighbours.reached_number - neighbours.previous_stage_number - 1, 0
                        ),
                        0
                    )
            end as integer
        ) as skipped_stage_count,
        case
            when not neighbours.is_closed or neighbours.left_at is not null
                then cast({{ dbt.datediff(
                    'cast(neighbours.entered_at as date)',
                    'coalesce(cast(neighbours.left_at as date), int_as_of.as_of_date)',
                    'day'
                ) }} as integer)
        end as stage_days,
        neighbours.is_closed,
        neighbours.is_won,
        neighbours.left_at is null as is_current,
        coalesce(
            neighbours.is_held
            and not neighbours.is_previous_closed
            and not neighbours.is_closed
            and neighbours.stage_number < neighbours.previous_stage_number,
            false
        ) as is_regression,
        coalesce(
            neighbours.is_held and neighbours.is_previous_closed and not neighbours.is_closed, false
        ) as is_reopening,
        neighbours.entered_at,
        neighbours.left_at

    from neighbours
    inner join int_opportunities_valued
        on neighbours.opportunity_id = int_opportunities_valued.opportunity_id
    cross join int_as_of

)

select * from final
