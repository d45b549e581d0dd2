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

-- Whoever is active belongs to the week and the month from that day on, until it is over or until
-- they are active again, which counts anew. So people are counted where they come and go: once
-- for each active day, and not once for each of the 30 days that it counts for. Who was active
-- for two accounts on one day stays for no time the first time, and counts the second.
stays as (

    select
        segment,
        activity_date,
        lead(activity_date) over (
            partition by segment, person_id order by activity_date
        ) - activity_date as days_in_segment,
        lead(activity_date) over (
            partition by person_id order by activity_date
        ) - activity_date as days_in_total

    from active_people

),

stays_by_length as (

    select
        segment,
        activity_date,
        least(coalesce(days_in_segment, 30), 30) as stay_days,
        count(*) as people

    from stays
    group by segment, activity_date, stay_days

    union all

    select
        'total' as segment,
        activity_date,
        least(coalesce(days_in_total, 30), 30) as stay_days,
        count(*) as people

    from stays
    group by activity_date, stay_days

),

changes as (

    select
        segment,
        activity_date as active_date,
        people as dau,
        people as wau_change,
        people as mau_change

    from stays_by_length
    where stay_days > 0

    union all

    select
        segment,
        cast({{ dbt.dateadd(
            'day', 'least(stay_days, 7)', 'activity_date'
        ) }} as date) as active_date,
        0 as dau,
        -people as wau_change,
        0 as mau_change

    from stays_by_length
    where stay_days > 0

    union all

    select
        segment,
        cast({{ dbt.dateadd('day', 'stay_days', 'activity_date') }} as date) as active_date,
        0 as dau,
        0 as wau_change,
        -people as mau_change

    from stays_by_length
    where stay_days > 0

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

spans as (

    select
        min(active_people.activity_date) as first_date,
        greatest(max(active_people.activity_date), max(int_as_of.as_of_date)) as last_date

    from active_people
    cross join int_as_of

),

days as (

    select {{ explode(date_series('first_date', 'last_date', 'day')) }} as active_date

    from spans
    where first_date is not null

),

segments as (

    select distinct segment from stays_by_length

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
        cast(dau as double) / nullif(mau, 0) as stickiness_rate

    from counted

)

select * from final
