with

fct_events as (

    select * from {{ ref('fct_events') }}

),

fct_sessions as (

    select * from {{ ref('fct_sessions') }}

),

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
        max(occurred_at) as last_event_at

    from fct_events
    group by person_id, account_id, occurred_date

),

sessions as (

    select
        person_id,
        account_id,
        session_date,
        count(*) as session_count

    from fct_sessions
    where is_counted
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
        events.last_event_at

    from events
    left join sessions
        on
            events.person_id = sessions.person_id
            and events.activity_date = sessions.session_date
            and coalesce(events.account_id, '') = coalesce(sessions.account_id, '')

)

select * from final
