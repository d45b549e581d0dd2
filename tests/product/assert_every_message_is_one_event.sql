-- Proves that no join to users, devices, workspaces or seeds drops a message or makes two of it. A
-- test of unique ids alone would miss the messages that were dropped.
with

messages as (

    select count(*) as message_count
    from {{ ref('stg_segment__messages') }}

),

events as (

    select count(*) as event_count
    from {{ ref('fct_events') }}

)

select
    messages.message_count,
    events.event_count
from messages
cross join events
where messages.message_count != events.event_count
