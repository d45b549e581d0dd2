{#-
    A loop over steps, because a recursion with an aggregate does not run on every engine. Events are read
    by their table's name, because DuckDB materializes a CTE that is read more than once.
-#}
{%- set last_possible_step = 10 -%}

with

dim_event_types as (

    select * from {{ ref('dim_event_types') }}

),

fct_sessions as (

    select * from {{ ref('fct_sessions') }}

),

funnels as (

    select * from {{ ref('funnels') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

-- The steps under the names that events have.
steps as (

    select
        funnels.funnel_key,
        funnels.step_number,
        funnels.followed_by,
        dim_event_types.event_name

    from funnels
    inner join dim_event_types
        on
            replace({{ normalised_name('funnels.event_name') }}, ' ', '')
            = replace({{ normalised_name('dim_event_types.event_name') }}, ' ', '')
    where funnels.outcome = 'success'

),

step_names as (

    select
        funnel_key,
        step_number,
        min(step_name) as step_name,
        max(window_hours) as window_hours,
        step_number = max(step_number) over (partition by funnel_key) as is_last_step

    from funnels
    where outcome = 'success'
    group by funnel_key, step_number

),

-- Most funnels follow no session, and then no event has to be found in one.
sessions_of_events as (

    select
        fct_events.event_id,
        fct_sessions.session_id

    from {{ ref('fct_events') }} as fct_events
    inner join fct_sessions
        on
            fct_events.person_id = fct_sessions.person_id
            and fct_events.occurred_at between fct_sessions.started_at and fct_sessions.ended_at
            and fct_sessions.is_counted
    where
        fct_events.is_counted
        and fct_events.event_name in (
            select steps.event_name from steps where steps.followed_by = 'session'
        )

),

events as (

    select
        steps.funnel_key,
        steps.step_number,
        case steps.followed_by
            when 'document' then fct_events.document_id
            when 'session' then sessions_of_events.session_id
            when 'user' then fct_events.person_id
        end as followed_id,
        fct_events.event_id,
        fct_events.user_id,
        fct_events.account_id,
        fct_events.tool_key,
        fct_events.occurred_at

    from {{ ref('fct_events') }} as fct_events
    inner join steps
        on fct_events.event_name = steps.event_name
    left join sessions_of_events
        on fct_events.event_id = sessions_of_events.event_id
    where
        fct_events.event_type = 'track'
        and fct_events.is_counted

),

step_1 as (

    select
        events.funnel_key,
        events.followed_id,
        1 as step_number,
        min(events.occurred_at) as reached_at,
        {%- for column in ['user_id', 'account_id', 'tool_key'] %}
        min_by(events.{{ column }}, (events.occurred_at, events.event_id)) filter (
            where events.{{ column }} is not null
        ) as {{ column }},
        {%- endfor %}
        min(events.occurred_at) as started_at,
        {{ dbt.dateadd(
            'hour', 'max(step_names.window_hours)', 'min(events.occurred_at)'
        ) }} as window_end_at

    from events
    inner join step_names
        on
            events.funnel_key = step_names.funnel_key
            and events.step_number = step_names.step_number
    where
        events.step_number = 1
        and events.followed_id is not null
    group by events.funnel_key, events.followed_id

),

{% for number in range(2, last_possible_step + 1) -%}
step_{{ number }} as (

    select
        previous.funnel_key,
        previous.followed_id,
        {{ number }} as step_number,
        min(events.occurred_at) as reached_at,
        previous.user_id,
        previous.account_id,
        previous.tool_key,
        previous.started_at,
        previous.window_end_at

    from step_{{ number - 1 }} as previous
    inner join events
        on
            previous.funnel_key = events.funnel_key
            and previous.followed_id = events.followed_id
            and events.occurred_at between previous.reached_at and previous.window_end_at
    where events.step_number = {{ number }}
    group by all

),

{% endfor -%}
reached as (

    {% for number in range(1, last_possible_step + 1) -%}
    select
        funnel_key,
        followed_id,
        step_number,
        reached_at,
        user_id,
        account_id,
        tool_key,
        started_at,
        window_end_at
    from step_{{ number }}
    {%- if not loop.last %}

    union all

    {% endif -%}
    {%- endfor %}

),

final as (

    select
        reached.funnel_key,
        reached.followed_id,
        reached.step_number,
        step_names.step_name,
        reached.user_id,
        reached.account_id,
        reached.tool_key,
        step_names.is_last_step,
        coalesce(reached.window_end_at <= int_as_of.as_of_at, false) as is_window_closed,
        cast(reached.started_at as date) as started_date,
        reached.started_at,
        reached.reached_at,
        {{ seconds_between('reached.started_at', 'reached.reached_at') }} as seconds_to_step

    from reached
    cross join int_as_of
    inner join step_names
        on
            reached.funnel_key = step_names.funnel_key
            and reached.step_number = step_names.step_number

)

select * from final
