{#-
    A run works over everything of the people whose events came, went or changed since. A full run
    names the events wherever it reads them: DuckDB writes a CTE that is read twice out whole.
-#}
{{ config(
    materialized='incremental',
    unique_key='person_id',
    post_hook="{{ delete_what_is_gone(ref('fct_events'), ['person_id']) }}",
) }}

{%- set events = 'touched_events' if is_incremental() else ref('fct_events') %}

with

{% if is_incremental() -%}

people as (

    select
        person_id,
        count(*) as event_count,
        max(_built_at) as built_at

    from {{ ref('fct_events') }}
    group by person_id

),

people_known as (

    select
        person_id,
        sum(event_count) as event_count,
        max(_built_at) as built_at

    from {{ this }}
    group by person_id

),

people_unchanged as (

    select people.person_id

    from people
    inner join people_known
        on
            people.person_id = people_known.person_id
            and people.event_count = people_known.event_count
            and people.built_at = people_known.built_at

),

people_touched as (

    select person_id from people

    except

    select person_id from people_unchanged

),

touched_events as (

    select *
    from {{ ref('fct_events') }}
    where person_id in (select people_touched.person_id from people_touched)

),
{%- endif %}

-- Windows sort what they carry, so they carry no more than they need, and the rest is joined to them.
numbered as (

    select
        event_id,
        person_id,
        is_counted,
        row_number() over person as event_number,
        coalesce(
            occurred_at - lag(occurred_at) over person >= interval 30 minute, true
        ) as is_first

    from {{ events }}
    window person as (partition by person_id, is_counted order by occurred_at, event_id)

),

places as (

    select
        event_id,
        event_number,
        is_first,
        count(*) filter (where is_first) over (
            partition by person_id, is_counted
            order by event_number
            rows between unbounded preceding and current row
        ) as session_number

    from numbered

),

events as (

    select
        all_events.*,
        places.event_number,
        places.is_first,
        places.session_number

    from {{ events }} as all_events
    inner join places
        on all_events.event_id = places.event_id

),

final as (

    select
        max(event_id) filter (where is_first) as session_id,
        person_id,
        max(user_id) as user_id,
        min_by(anonymous_id, event_number) filter (where anonymous_id is not null) as anonymous_id,
        max(account_id) filter (where is_first) as account_id,
        min_by(browser_name, event_number) filter (where browser_name is not null) as browser_name,
        min_by(os_name, event_number) filter (where os_name is not null) as os_name,
        min_by(device_type, event_number) filter (where device_type is not null) as device_type,

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
        cast(min(occurred_at) as date) as session_date,
        max(_built_at) as _built_at

    from events
    group by person_id, is_counted, session_number

)

select * from final
