{#-
    A run cuts anew the sessions of the people whose events came, went or changed since, and writes
    those that are not as they were; one that is no more comes out empty, for the hook to delete. A
    full run names the events wherever it reads them: DuckDB writes a CTE that is read twice out whole.
    Words go through windows and groups as digests, which take little memory, and are looked up at the
    end.
-#}
{{ config(
    materialized='incremental',
    unique_key='session_id',
    post_hook="{{ delete_what_is_empty('event_count') }}",
) }}

{%- set look = ['event_name', 'page_path', 'browser_name', 'os_name', 'device_type'] %}
{%- set events = 'touched_events' if is_incremental() else ref('fct_events') %}

with

{% if is_incremental() -%}

people_touched as (

{{ people_touched(ref('fct_events'), 'count(*)') }}

),

touched_events as (

    select *
    from {{ ref('fct_events') }}
    where person_id in (select people_touched.person_id from people_touched)

),
{%- endif %}

told as (

    select
        event_id,
        person_id,
        is_counted,
        user_id is not null as is_user,
        {{ row_digest(['account_id']) }} as account_key,
        {{ row_digest(['anonymous_id']) }} as device_key,
        {{ row_digest(look) }} as look_key,
        anonymous_id is not null as has_device,
        browser_name is not null as has_browser,
        os_name is not null as has_os,
        device_type is not null as has_device_type,
        page_path is not null as has_page_path,
        event_type,
        is_key_action,
        is_bot,
        is_internal,
        is_test,
        occurred_at,
        _built_at

    from {{ events }}

),

numbered as (

    select
        *,
        row_number() over person as event_number,
        coalesce(
            occurred_at - lag(occurred_at) over person >= interval 30 minute, true
        ) as is_first

    from told
    window person as (partition by person_id, is_counted order by occurred_at, event_id)

),

events_of_sessions as (

    select
        *,
        last_value(case when is_first then event_id end ignore nulls) over (
            partition by person_id, is_counted
            order by event_number
            rows between unbounded preceding and current row
        ) as session_id

    from numbered

),

sessions as (

    select
        session_id,
        person_id,
        is_counted,
        bool_or(is_user) as is_user,
        min_by(account_key, event_number) as account_key,
        min_by(device_key, event_number) filter (where has_device) as device_key,
        min_by(look_key, event_number) filter (where has_browser) as browser_look_key,
        min_by(look_key, event_number) filter (where has_os) as os_look_key,
        min_by(look_key, event_number) filter (where has_device_type) as device_type_look_key,
        min_by(look_key, event_number) as entry_look_key,
        max_by(look_key, event_number) as exit_look_key,
        min_by(look_key, event_number) filter (where has_page_path) as entry_page_look_key,
        max_by(look_key, event_number) filter (where has_page_path) as exit_page_look_key,

        count(*) as event_count,
        count(*) filter (where event_type = 'track') as track_event_count,
        count(*) filter (where event_type in ('page', 'screen')) as page_view_count,
        count(*) filter (where is_key_action) as key_action_count,
        count(distinct device_key) filter (where has_device) as device_count,

        bool_or(is_key_action) as is_converted,
        bool_or(is_bot) as is_bot,
        bool_or(is_internal) as is_internal,
        bool_or(is_test) as is_test,

        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        max(_built_at) as _built_at

    from events_of_sessions
    group by session_id, person_id, is_counted

),

accounts as (

    select distinct
        {{ row_digest(['account_id']) }} as account_key,
        account_id

    from {{ events }}

),

devices as (

    select distinct
        {{ row_digest(['anonymous_id']) }} as device_key,
        anonymous_id

    from {{ events }}

),

looks as (

    select distinct
        {{ row_digest(look) }} as look_key,
        {{ look | join(',\n        ') }}

    from {{ events }}

),

final as (

    select
        sessions.session_id,
        sessions.person_id,
        case when sessions.is_user then sessions.person_id end as user_id,
        devices.anonymous_id,
        accounts.account_id,
        browsers.browser_name,
        systems.os_name,
        device_types.device_type,

        entries.event_name as entry_event_name,
        exits.event_name as exit_event_name,
        entry_pages.page_path as entry_page_path,
        exit_pages.page_path as exit_page_path,

        sessions.event_count,
        sessions.track_event_count,
        sessions.page_view_count,
        sessions.key_action_count,
        sessions.device_count,
        date_diff('second', sessions.started_at, sessions.ended_at) as duration_seconds,

        sessions.is_converted,
        sessions.is_bot,
        sessions.is_internal,
        sessions.is_test,
        sessions.is_counted,

        sessions.started_at,
        sessions.ended_at,
        cast(sessions.started_at as date) as session_date,
        sessions._built_at

    from sessions
    left join accounts on sessions.account_key = accounts.account_key
    left join devices on sessions.device_key = devices.device_key
    left join looks as browsers on sessions.browser_look_key = browsers.look_key
    left join looks as systems on sessions.os_look_key = systems.look_key
    left join looks as device_types on sessions.device_type_look_key = device_types.look_key
    left join looks as entries on sessions.entry_look_key = entries.look_key
    left join looks as exits on sessions.exit_look_key = exits.look_key
    left join looks as entry_pages on sessions.entry_page_look_key = entry_pages.look_key
    left join looks as exit_pages on sessions.exit_page_look_key = exit_pages.look_key

)

{{ changed_rows(key=['session_id'], compared=['event_count', '_built_at']) }}
