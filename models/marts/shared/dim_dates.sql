with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

intervals as (

    select
        cast('2015-01-01' as date) as first_date,
        cast({{ dbt.dateadd('month', 24, month_start('as_of_date')) }} as date) as last_date

    from int_as_of

    union all

    select
        min(first_occurred_date) as first_date,
        max(last_occurred_date) as last_date

    from int_identity_signals

    union all

    select
        least(min(cast(created_at as date)), min(close_date)) as first_date,
        max(close_date) as last_date

    from stg_salesforce__opportunities

),

-- A client clock that is wrong by centuries must not add millions of days.
bounds as (

    select
        greatest(min(first_date), cast('1990-01-01' as date)) as first_date,
        least(
            greatest(coalesce(max(last_date), min(first_date)), cast('2027-12-31' as date)),
            cast('2100-12-31' as date)
        ) as last_date

    from intervals

),

days as (

    select {{ explode(date_series('first_date', 'last_date', 'day')) }} as calendar_date

    from bounds

),

weekdays as (

    select
        calendar_date,
        cast(date_trunc('week', calendar_date) as date) as week_start_date,
        cast({{ dbt.datediff(
            dbt.date_trunc('week', 'calendar_date'), 'calendar_date', 'day'
        ) }} + 1 as integer) as day_of_week_number

    from days

),

final as (

    select
        weekdays.calendar_date,
        {{ month_start('weekdays.calendar_date') }} as calendar_month,
        cast(date_trunc('quarter', weekdays.calendar_date) as date) as quarter_start_date,
        weekdays.week_start_date,
        cast(extract(year from weekdays.calendar_date) as integer) as calendar_year,
        cast(extract(quarter from weekdays.calendar_date) as integer) as quarter_number,
        cast(extract(month from weekdays.calendar_date) as integer) as month_number,
        cast(extract(week from weekdays.calendar_date) as integer) as week_number,
        weekdays.day_of_week_number,
        case weekdays.day_of_week_number
            when 1 then 'Monday'
            when 2 then 'Tuesday'
            when 3 then 'Wednesday'
            when 4 then 'Thursday'
            when 5 then 'Friday'
            when 6 then 'Saturday'
            else 'Sunday'
        end as day_name,
        case extract(month from weekdays.calendar_date)
            when 1 then 'January'
            when 2 then 'February'
            when 3 then 'March'
            when 4 then 'April'
            when 5 then 'May'
            when 6 then 'June'
            when 7 then 'July'
            when 8 then 'August'
            when 9 then 'September'
            when 10 then 'October'
            when 11 then 'November'
            else 'December'
        end as month_name,
        {{ fiscal_quarter_start('weekdays.calendar_date') }} as fiscal_quarter_start_date,
        cast(
            extract(
                year from {{ dbt.dateadd(
                    'month', (13 - var('fiscal_year_start_month')) % 12,
                    month_start('weekdays.calendar_date')
                ) }}
            ) as integer
        ) as fiscal_year,
        cast(
            extract(
                quarter from {{ dbt.dateadd(
                    'month', (13 - var('fiscal_year_start_month')) % 12,
                    month_start('weekdays.calendar_date')
                ) }}
            ) as integer
        ) as fiscal_quarter_number,
        weekdays.day_of_week_number > 5 as is_weekend,
        weekdays.calendar_date = last_day(weekdays.calendar_date) as is_month_end,
        coalesce(weekdays.calendar_date > int_as_of.as_of_date, false) as is_after_as_of

    from weekdays
    cross join int_as_of

)

select * from final
