{{ config(severity='warn') }}

-- Shows track events that the taxonomy does not know. They stay facts under their own name, so
-- nothing is wrong yet; counted by name, since counting rows would hide a rare one in a busy month.
select
    raw_event_name,
    count(*) as event_count,
    min(occurred_at) as first_occurred_at,
    max(occurred_at) as last_occurred_at
from {{ ref('fct_events') }}
where
    event_type = 'track'
    and not is_known_event
group by raw_event_name
