-- Proves that every event of a person is in exactly one session: by person and whether they count,
-- the events of sessions add up to all events. One sum over all people would miss an event in
-- another person's session.
with

events as (

    select
        person_id,
        is_counted,
        count(*) as event_count

    from {{ ref('fct_events') }}
    where person_id is not null
    group by person_id, is_counted

),

sessions as (

    select
        person_id,
        is_counted,
        sum(event_count) as event_count

    from {{ ref('fct_sessions') }}
    group by person_id, is_counted

)

select
    coalesce(events.person_id, sessions.person_id) as person_id,
    events.event_count as events_there,
    sessions.event_count as events_in_sessions
from events
full join sessions
    on
        events.person_id = sessions.person_id
        and events.is_counted = sessions.is_counted
where events.event_count is distinct from sessions.event_count
