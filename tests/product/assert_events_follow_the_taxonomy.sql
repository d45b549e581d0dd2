-- Proves that no old name is left among the events after a rename: every known track event has a
-- canonical name. Comparing with the names in use today would miss an old name that maps to
-- itself.
select
    fct_events.event_name,
    count(*) as event_count
from {{ ref('fct_events') }} as fct_events
left join {{ ref('event_taxonomy') }} as event_taxonomy
    on
        fct_events.event_name = event_taxonomy.event_name
        and event_taxonomy.raw_event_name = event_taxonomy.event_name
where
    fct_events.event_type = 'track'
    and fct_events.is_known_event
    and event_taxonomy.event_name is null
group by fct_events.event_name
