with

fct_events as (

    select * from {{ ref('fct_events') }}

),

numbered as (

    select
        event_id,
        user_id,
        anonymous_id,
        person_id,
        account_id,
        event_type,
        event_name,
        page_path,
        is_key_action,
        is_bot,
        is_internal,
        is_test,
        is_counted,
        occurred_at,
        row_number() over person as event_number,
        coalesce(
            occurred_at - lag(occurred_at) over person >= interval 30 minute, true
        ) as is_first

    from fct_events
    window person as (partition by person_id, is_counted order by occurred_at, event_id)

),

events as (

    select
        *,
        count(*) filter (where is_first) over (
            partition by person_id, is_counted
            order by event_number
            rows between unbounded preceding and current row
        ) as session_number

    from numbered

),

final as (

    select
        max(event_id) filter (where is_first) as session_id,
        person_id,
        max(user_id) as user_id,
        min_by(anonymous_id, event_number) filter (where anonymous_id is not null) as anonymous_id,
        max(account_id) filter (where is_first) as account_id,

        max(event_name) filter (where is_first) as entry_event_name,
        max_by(event_name, event_number) as exit_event_name,
        min_by(page_path, event_number) filter (where page_path is not null) as entry_page_path,
        max_by(page_path, event_number) filter (where page_path is not null) as exit_page_path,

        count(*) as event_count,
        count(*) filter (where event_type = 'track') as track_event_count,
        count(*) filter (where event_type in ('page', 'screen')) as page_view_count,
        count(*) filter (where is_key_action) as key_action_count,
        count(distinct anonymous_id) as device_count,
        date_diff('second', min(occurred_at), max(occurred_at)) as duration_seconds,

        bool_or(is_key_action) as is_converted,
        bool_or(is_bot) as is_bot,
        bool_or(is_internal) as is_internal,
        bool_or(is_test) as is_test,
        is_counted,

        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        cast(min(occurred_at) as date) as session_date

    from events
    group by person_id, is_counted, session_number

)

select * from final
