-- At which hours of which weekdays is the product busiest? UTC, over the last 12 weeks.
with

fct_usage_hourly as (

    select * from {{ ref('fct_usage_hourly') }}

),

dim_dates as (

    select * from {{ ref('dim_dates') }}

),

dim_times as (

    select * from {{ ref('dim_times') }}

),

last_day as (

    select max(usage_date) as last_date
    from fct_usage_hourly

),

-- Every hour of every day, so that a quiet hour counts as 0 and not as missing.
hours as (

    select
        dim_dates.calendar_date,
        dim_dates.day_of_week_number,
        dim_dates.day_name,
        dim_times.hour_number,
        dim_times.hour_label,
        dim_times.day_part

    from dim_dates
    cross join dim_times
    cross join last_day
    where
        dim_dates.calendar_date > {{ dbt.dateadd('day', -84, 'last_day.last_date') }}
        and dim_dates.calendar_date <= last_day.last_date

),

final as (

    select
        hours.day_of_week_number,
        hours.day_name,
        hours.hour_number,
        hours.hour_label,
        hours.day_part,
        avg(coalesce(fct_usage_hourly.active_user_count, 0)) as average_active_users,
        avg(coalesce(fct_usage_hourly.event_count, 0)) as average_events

    from hours
    left join fct_usage_hourly
        on
            hours.calendar_date = fct_usage_hourly.usage_date
            and hours.hour_number = fct_usage_hourly.hour_number
    group by
        hours.day_of_week_number,
        hours.day_name,
        hours.hour_number,
        hours.hour_label,
        hours.day_part

)

select * from final
order by
    day_of_week_number,
    hour_number
