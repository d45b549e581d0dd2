{#-
    A run cuts the sessions of the people whose events changed, as macros/incremental.sql explains. Events
    are read by their table's name, because DuckDB materializes a CTE that is read more than once. Texts
    pass windows and groups as digests, to save memory, and are looked up at the end.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_rows',
    unique_key='person_id',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where person_id not in (
        select person_id from {{ ref('fct_events') }} where person_id is not null){% endif %}",
) }}

{%- set look = ['event_name', 'page_path', 'browser_name', 'os_name', 'device_type'] %}
{%- set kept = ['event_id', 'person_id', 'is_counted', 'event_type', 'is_key_action'] + [
    'touch_key', 'is_bot', 'is_internal', 'is_test', 'occurred_at', '_built_at'] %}
{%- set derived = ['is_user', 'account_key', 'device_key', 'look_key'] + [
    'has_browser_name', 'has_os_name', 'has_device_type', 'has_page_path'] %}
{%- set touch = ['referrer', 'referrer_domain', 'channel'] + [
    'utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'] %}
{%- set new_line = ',\n        ' %}
{%- set source_events = 'events_of_people_touched' if is_incremental() else ref('fct_events') %}
{%- set person = '(partition by person_id, is_counted order by occurred_at, event_id)' -%}

with

int_touches_described as (

    select * from {{ ref('int_touches_described') }}

),

{% if is_incremental() -%}

people_touched as (

    select
        person_id,
        count(*) as event_count,
        max(_built_at) as newest_built_at
    from {{ ref('fct_events') }}
    group by person_id

    except

    select
        person_id,
        cast(sum(event_count) as bigint) as event_count,
        max(_built_at) as newest_built_at
    from {{ this }}
    group by person_id

),

events_of_people_touched as (

    select
        {{ (kept + look + ['user_id', 'anonymous_id', 'account_id']) | join(new_line) }}
    from {{ ref('fct_events') }}
    where person_id in (select people_touched.person_id from people_touched)

),
{%- endif %}

events as (

    select
        {{ kept | join(new_line) }},
        user_id is not null as is_user,
        {{ row_digest(['account_id']) }} as account_key,
        case when anonymous_id is not null then {{ row_digest(['anonymous_id']) }} end
            as device_key,
        {%- for column in look[1:] %}
        {{ column }} is not null as has_{{ column }},
        {%- endfor %}
        {{ row_digest(look) }} as look_key
    from {{ source_events }}
    where person_id is not null

),

numbered as (

    select
        {{ (kept + derived) | join(new_line) }},
        row_number() over {{ person }} as event_number,
        coalesce(
            occurred_at - lag(occurred_at) over {{ person }}
            >= interval {{ var('session_idle_minutes') }} minute,
            true
        ) as is_first
    from events

),

events_of_sessions as (

    select
        {{ (kept + derived) | join(new_line) }},
        event_number,
        {{ known_value('last', 'case when is_first then event_id end') }} over (
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
        min_by(device_key, event_number) filter (where device_key is not null) as device_key,
        {%- for column in look[1:] %}
        min_by(look_key, event_number) filter (where has_{{ column }}) as {{ column }}_look_key,
        {%- endfor %}
        max_by(look_key, event_number) filter (where has_page_path) as exit_page_path_look_key,
        min_by(look_key, event_number) as entry_look_key,
        max_by(look_key, event_number) as exit_look_key,
        min_by(touch_key, event_number) filter (where touch_key is not null) as touch_key,

        count(*) as event_count,
        count(*) filter (where event_type = 'track') as track_event_count,
        count(*) filter (where event_type in ('page', 'screen')) as page_view_count,
        count(*) filter (where is_key_action) as key_action_count,
        count(distinct device_key) as device_count,

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
    from {{ source_events }}

),

devices as (

    select distinct
        {{ row_digest(['anonymous_id']) }} as device_key,
        anonymous_id
    from {{ source_events }}

),

looks as (

    select distinct
        {{ row_digest(look) }} as look_key,
        {{ look | join(new_line) }}
    from {{ source_events }}

),

final as (

    select
        sessions.session_id,
        sessions.person_id,
        case when sessions.is_user then sessions.person_id end as user_id,
        devices.anonymous_id,
        accounts.account_id,
        browser_name_looks.browser_name,
        os_name_looks.os_name,
        device_type_looks.device_type,

        entry_looks.event_name as entry_event_name,
        exit_looks.event_name as exit_event_name,
        page_path_looks.page_path as entry_page_path,
        exit_page_path_looks.page_path as exit_page_path,
        {%- for column in touch %}
        touches.{{ column }},
        {%- endfor %}

        sessions.event_count,
        sessions.track_event_count,
        sessions.page_view_count,
        sessions.key_action_count,
        sessions.device_count,
        {{ dbt.datediff('sessions.started_at', 'sessions.ended_at', 'second') }}
            as duration_seconds,
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
    left join int_touches_described as touches on sessions.touch_key = touches.touch_key
    {%- for name in look[1:] + ['exit_page_path', 'entry', 'exit'] %}
    left join looks as {{ name }}_looks on sessions.{{ name }}_look_key = {{ name }}_looks.look_key
    {%- endfor %}

)

select * from final
