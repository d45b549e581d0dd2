{{ config(severity='warn') }}

-- Lists the names of track events that are not in the taxonomy. The events remain facts under their
-- own name. A share of all events would miss a new, rare name.
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
