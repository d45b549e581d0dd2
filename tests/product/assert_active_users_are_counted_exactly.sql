-- Proves that daily, weekly and monthly active users are distinct people, each counted once:
-- every 29th day is counted again the plain way, over all events in the window. An invariant such
-- as dau <= wau <= mau would miss a person who is counted twice.
with

active_users as (

    select
        active_date,
        dau,
        wau,
        mau

    from {{ ref('fct_active_users_daily') }}
    where
        segment = 'total'
        and {{ dbt.datediff(
            "cast('2024-01-01' as date)", 'active_date', 'day'
        ) }} % 29 = 0

),

windows as (

    select
        active_date,
        {{ explode(date_series(
            dbt.dateadd('day', -29, 'active_date'),
            'active_date',
            'day'
        )) }} as occurred_date

    from active_users

),

active_people as (

    select distinct
        {{ row_digest(['person_id']) }} as person_key,
        occurred_date

    from {{ ref('fct_events') }}
    where
        is_counted
        and event_type = 'track'
        and person_id is not null

),

counted as (

    select
        windows.active_date,
        count(distinct active_people.person_key) filter (
            where windows.occurred_date = windows.active_date
        ) as dau,
        count(distinct active_people.person_key) filter (
            where windows.occurred_date > {{ dbt.dateadd('day', -7, 'windows.active_date') }}
        ) as wau,
        count(distinct active_people.person_key) as mau

    from windows
    left join active_people
        on windows.occurred_date = active_people.occurred_date
    group by windows.active_date

)

select
    active_users.active_date,
    active_users.dau,
    active_users.wau,
    active_users.mau,
    counted.dau as counted_dau,
    counted.wau as counted_wau,
    counted.mau as counted_mau

from active_users
inner join counted
    on active_users.active_date = counted.active_date
where
    active_users.dau != counted.dau
    or active_users.wau != counted.wau
    or active_users.mau != counted.mau
