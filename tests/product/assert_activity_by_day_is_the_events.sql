-- Proves that daily activity neither drops nor doubles anything: by day, its events equal those of
-- people in fct_events, its sessions those that began on the day, and the accounts' rows the
-- people's. Totals over all days would miss an event that moved to another day.
with

events as (

    select
        occurred_date as activity_date,
        count(*) as event_count,
        count(*) filter (where is_counted) as counted_event_count

    from {{ ref('fct_events') }}
    where person_id is not null
    group by occurred_date

),

sessions as (

    select
        session_date as activity_date,
        count(*) as session_count

    from {{ ref('fct_sessions') }}
    where is_counted
    group by session_date

),

people as (

    select
        activity_date,
        sum(event_count) as event_count,
        sum(counted_event_count) as counted_event_count,
        sum(session_count) as session_count,
        coalesce(
            sum(counted_event_count) filter (where account_id is not null), 0
        ) as account_events

    from {{ ref('fct_user_activity_daily') }}
    group by activity_date

),

accounts as (

    select
        activity_date,
        sum(event_count) as account_events

    from {{ ref('fct_account_activity_daily') }}
    group by activity_date

)

select people.activity_date
from people
full join events
    on people.activity_date = events.activity_date
left join sessions
    on people.activity_date = sessions.activity_date
left join accounts
    on people.activity_date = accounts.activity_date
where
    people.event_count is distinct from events.event_count
    or people.counted_event_count is distinct from events.counted_event_count
    or people.session_count is distinct from coalesce(sessions.session_count, 0)
    or people.account_events is distinct from coalesce(accounts.account_events, 0)
