{#-
    A run sums up the days of the people whose sessions came, went or changed since, and writes those
    that are not as they were; one that is no more comes out empty, for the hook to delete.
-#}
{{ config(
    materialized='incremental',
    unique_key=['person_id', 'activity_date'],
    post_hook="{{ delete_what_is_empty('event_count') }}",
) }}

with

fct_events as (

    select * from {{ ref('fct_events') }}

),

{%- if is_incremental() %}

people_touched as (

{{ people_touched(ref('fct_sessions'), 'sum(event_count)') }}

),
{%- endif %}

events as (

    select
        person_id,
        account_id,
        occurred_date as activity_date,
        max(user_id) as user_id,
        count(*) as event_count,
        count(*) filter (where is_counted) as counted_event_count,
        count(*) filter (where is_counted and event_type = 'track') as track_event_count,
        count(*) filter (where is_counted and is_key_action) as key_action_count,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        max(_built_at) as _built_at

    from fct_events
    {%- if is_incremental() %}
    where person_id in (select people_touched.person_id from people_touched)
    {%- endif %}
    group by person_id, account_id, occurred_date

),

sessions as (

    select
        person_id,
        account_id,
        session_date,
        count(*) as session_count

    from {{ ref('fct_sessions') }}
    where is_counted
    {%- if is_incremental() %}
        and person_id in (select people_touched.person_id from people_touched)
    {%- endif %}
    group by person_id, account_id, session_date

),

final as (

    select
        events.person_id,
        events.user_id,
        events.account_id,
        events.activity_date,

        events.event_count,
        events.counted_event_count,
        events.track_event_count,
        events.key_action_count,
        coalesce(sessions.session_count, 0) as session_count,

        events.track_event_count > 0 as is_active,

        events.first_event_at,
        events.last_event_at,
        events._built_at

    from events
    left join sessions
        on
            events.person_id = sessions.person_id
            and events.activity_date = sessions.session_date
            and coalesce(events.account_id, '') = coalesce(sessions.account_id, '')

)

{{ changed_rows(
    key=['person_id', 'activity_date'],
    compared=['account_id', 'event_count', 'session_count', '_built_at'],
) }}
