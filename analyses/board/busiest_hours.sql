-- At which hours is the product busiest, on weekdays and at weekends? UTC, over the last 12 weeks.
-- Every weekday's hours are in `analyses/dashboard/peak_hours.sql`.
with

fct_usage_hourly as (

    select * from {{ ref('fct_usage_hourly') }}

),

dim_dates as (

    select * from {{ ref('dim_dates') }}

),

last_day as (

    select max(usage_date) as usage_date
    from fct_usage_hourly

),

final as (

    select
        fct_usage_hourly.hour_number,
        coalesce(
            sum(fct_usage_hourly.event_count) filter (where not dim_dates.is_weekend), 0
        ) as weekday_event_count,
        coalesce(
            sum(fct_usage_hourly.event_count) filter (where dim_dates.is_weekend), 0
        ) as weekend_event_count,
        {{ ratio(
            'sum(fct_usage_hourly.event_count)',
            'sum(sum(fct_usage_hourly.event_count)) over ()'
        ) }} as event_share_rate

    from fct_usage_hourly
    inner join dim_dates
        on fct_usage_hourly.usage_date = dim_dates.calendar_date
    cross join last_day
    where fct_usage_hourly.usage_date > {{ dbt.dateadd('day', -84, 'last_day.usage_date') }}
    group by fct_usage_hourly.hour_number

)

select * from final
order by hour_number
