{#-
    A run sums up the days of the people whose sessions changed, as macros/incremental.sql explains. It
    reads sessions by their table's name, because DuckDB materializes a CTE that is read more than once.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_rows',
    unique_key='person_id',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where person_id not in (
        select distinct person_id from {{ ref('fct_sessions') }}){% endif %}",
) }}

with

fct_events as (

    select * from {{ ref('fct_events') }}

),

{%- if is_incremental() %}

people_touched as (

    select
        person_id,
        sum(event_count) as event_count,
        max(_built_at) as newest_built_at

    from {{ ref('fct_sessions') }}
    group by person_id

    except

    select
        person_id,
        sum(event_count) as event_count,
        max(_built_at) as newest_built_at

    from {{ this }}
    group by person_id

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
    where person_id is not null
    {%- if is_incremental() %}
        and person_id in (select people_touched.person_id from people_touched)
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

select * from final
