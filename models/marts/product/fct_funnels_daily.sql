with

fct_funnel_steps as (

    select * from {{ ref('fct_funnel_steps') }}

),

funnels as (

    select * from {{ ref('funnels') }}

),

steps as (

    select distinct
        funnel_key,
        step_number,
        step_name

    from funnels
    where outcome = 'success'
    qualify
        row_number() over (partition by funnel_key, step_number order by step_name) = 1

),

starts as (

    select
        funnel_key,
        started_date,
        count(*) as started_count,
        bool_and(is_window_closed) as is_final

    from fct_funnel_steps
    where step_number = 1
    group by funnel_key, started_date

),

reached as (

    select
        funnel_key,
        started_date,
        step_number,
        count(*) as reached_count

    from fct_funnel_steps
    group by funnel_key, started_date, step_number

),

-- Steps that no one reached have a row too.
counted as (

    select
        starts.funnel_key,
        starts.started_date,
        steps.step_number,
        steps.step_name,
        starts.started_count,
        coalesce(reached.reached_count, 0) as reached_count,
        starts.is_final

    from starts
    inner join steps
        on starts.funnel_key = steps.funnel_key
    left join reached
        on
            starts.funnel_key = reached.funnel_key
            and starts.started_date = reached.started_date
            and steps.step_number = reached.step_number

),

final as (

    select
        funnel_key,
        started_date,
        step_number,
        step_name,
        cast(started_count as integer) as started_count,
        cast(reached_count as integer) as reached_count,
        {{ ratio('reached_count', 'started_count') }} as conversion_rate,
        {{ ratio(
            'reached_count',
            'lag(reached_count, 1, started_count) over (
                partition by funnel_key, started_date order by step_number
            )'
        ) }} as step_conversion_rate,
        is_final

    from counted

)

select * from final
