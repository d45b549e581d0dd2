with

fct_user_activity_daily as (

    select * from {{ ref('fct_user_activity_daily') }}

),

int_accounts_described as (

    select * from {{ ref('int_accounts_described') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

active_people as (

    select
        fct_user_activity_daily.person_id,
        fct_user_activity_daily.activity_date,
        coalesce(int_accounts_described.segment, 'unknown') as segment

    from fct_user_activity_daily
    left join int_accounts_described
        on fct_user_activity_daily.account_id = int_accounts_described.account_id
    where fct_user_activity_daily.is_active

),

next_active as (

    select
        segment,
        activity_date,
        lead(activity_date) over (
            partition by segment, person_id order by activity_date
        ) as next_date_in_segment,
        lead(activity_date) over (
            partition by person_id order by activity_date
        ) as next_date_in_total

    from active_people

),

-- A person counts from an active day on until the window ends or they are active again, which
-- begins a new interval. So each active day adds one and later takes one away, and no row is made
-- for each of the 30 days. Of two accounts on one day, the first interval has no length and the
-- second counts.
intervals as (

    select
        segment,
        activity_date,
        {{ dbt.datediff(
            'activity_date', 'next_date_in_segment', 'day'
        ) }} as days_in_segment,
        {{ dbt.datediff(
            'activity_date', 'next_date_in_total', 'day'
        ) }} as days_in_total

    from next_active

),

intervals_by_length as (

    select
        segment,
        activity_date,
        least(coalesce(days_in_segment, 30), 30) as interval_days,
        count(*) as people

    from intervals
    group by segment, activity_date, interval_days

    union all

    select
        'total' as segment,
        activity_date,
        least(coalesce(days_in_total, 30), 30) as interval_days,
        count(*) as people

    from intervals
    group by activity_date, interval_days

),

changes as (

    select
        segment,
        activity_date as active_date,
        people as dau,
        people as wau_change,
        people as mau_change

    from intervals_by_length
    where interval_days > 0

    union all

    select
        segment,
        cast({{ dbt.dateadd(
            'day', 'least(interval_days, 7)', 'activity_date'
        ) }} as date) as active_date,
        0 as dau,
        -people as wau_change,
        0 as mau_change

    from intervals_by_length
    where interval_days > 0

    union all

    select
        segment,
        cast({{ dbt.dateadd('day', 'interval_days', 'activity_date') }} as date) as active_date,
        0 as dau,
        0 as wau_change,
        -people as mau_change

    from intervals_by_length
    where interval_days > 0

),

changes_by_day as (

    select
        segment,
        active_date,
        sum(dau) as dau,
        sum(wau_change) as wau_change,
        sum(mau_change) as mau_change

    from changes
    group by segment, active_date

),

date_range as (

    select
        min(active_people.activity_date) as first_date,
        greatest(max(active_people.activity_date), max(int_as_of.as_of_date)) as last_date

    from active_people
    cross join int_as_of

),

days as (

    select {{ explode(date_series('first_date', 'last_date', 'day')) }} as active_date

    from date_range
    where first_date is not null

),

segments as (

    select distinct segment from intervals_by_length

),

counted as (

    select
        days.active_date,
        segments.segment,
        coalesce(changes_by_day.dau, 0) as dau,
        sum(changes_by_day.wau_change) over (
            partition by segments.segment order by days.active_date
        ) as wau,
        sum(changes_by_day.mau_change) over (
            partition by segments.segment order by days.active_date
        ) as mau

    from days
    cross join segments
    left join changes_by_day
        on
            segments.segment = changes_by_day.segment
            and days.active_date = changes_by_day.active_date

),

final as (

    select
        active_date,
        segment,
        cast(dau as bigint) as dau,
        cast(coalesce(wau, 0) as bigint) as wau,
        cast(coalesce(mau, 0) as bigint) as mau,
        {{ ratio('dau', 'mau') }} as stickiness_rate

    from counted

)

select * from final
