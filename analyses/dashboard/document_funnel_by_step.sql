-- How many documents reach each step of the main funnel within its window?
with

fct_funnels_daily as (

    select * from {{ ref('fct_funnels_daily') }}

),

final as (

    select
        {{ month_start('started_date') }} as started_month,
        step_number,
        step_name,
        sum(started_count) as started_count,
        sum(reached_count) as reached_count

    from fct_funnels_daily
    where funnel_key = '{{ var('main_funnel') }}' and is_final
    group by
        {{ month_start('started_date') }},
        step_number,
        step_name

)

select * from final
order by
    started_month,
    step_number
