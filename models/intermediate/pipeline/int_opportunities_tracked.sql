with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

int_opportunity_stage_visits as (

    select * from {{ ref('int_opportunity_stage_visits') }}

),

close_dates as (

    select
        opportunity_id,
        state_number,
        close_date,
        lag(close_date) over (
            partition by opportunity_id order by state_number
        ) as previous_close_date
    from int_opportunity_states
    where close_date is not null

),

pushes as (

    select
        opportunity_id,
        count(*) filter (
            where {{ month_start('close_date') }} > {{ month_start('previous_close_date') }}
        ) as push_count,
        arg_min(close_date, state_number) as first_close_date,
        arg_max(close_date, state_number) as last_close_date

    from close_dates
    group by opportunity_id

),

visits as (

    select
        int_opportunity_stage_visits.*,
        {{ dbt.datediff(
            'cast(int_opportunity_stage_visits.entered_at as date)',
            'coalesce(cast(int_opportunity_stage_visits.left_at as date), int_as_of.as_of_date)',
            'day'
        ) }} as stage_days

    from int_opportunity_stage_visits
    cross join int_as_of

),

stages as (

    select
        opportunity_id,
        stage_name,
        stage_number,
        sum(stage_days) as stage_days
    from visits
    where not is_closed
    group by
        opportunity_id,
        stage_name,
        stage_number

),

stage_days as (

    select
        opportunity_id,
        {{ json_object_of('stage_name', 'stage_days', 'stage_number') }} as days_by_stage
    from stages
    group by opportunity_id

),

courses as (

    select
        opportunity_id,
        count(*) filter (where is_regression) as regression_count,
        count(*) filter (where is_reopening) as reopening_count,
        sum(skipped_stage_count) as skipped_stage_count,
        max(case when is_current and is_closed then entered_at end) as closed_at,
        max(case when is_current and is_closed then sales_rep_id end) as closing_sales_rep_id,
        max(case when is_current and not is_closed then stage_days end) as current_stage_days

    from visits
    group by opportunity_id

),

final as (

    select
        pushes.opportunity_id,
        pushes.first_close_date,
        pushes.push_count,
        {{ dbt.datediff(
            'pushes.first_close_date', 'pushes.last_close_date', 'day'
        ) }} as pushed_days,
        coalesce(courses.regression_count, 0) as regression_count,
        coalesce(courses.reopening_count, 0) as reopening_count,
        coalesce(courses.skipped_stage_count, 0) as skipped_stage_count,
        courses.current_stage_days,
        courses.closed_at,
        courses.closing_sales_rep_id,
        stage_days.days_by_stage

    from pushes
    left join courses
        on pushes.opportunity_id = courses.opportunity_id
    left join stage_days
        on pushes.opportunity_id = stage_days.opportunity_id

)

select * from final
