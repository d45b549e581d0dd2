{#- A run writes the names whose digest changed, as macros/incremental.sql explains. -#}
{{ config(
    materialized='incremental',
    unique_key='raw_name_key',
) }}

with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

event_taxonomy as (

    select * from {{ ref('event_taxonomy') }}

),

features as (

    select * from {{ ref('features') }}

),

funnels as (

    select * from {{ ref('funnels') }}

),

raw_names as (

    select
        {{ row_digest(['message_type', 'event_name', 'tool_key']) }} as raw_name_key,
        message_type,
        event_name as raw_event_name,
        tool_key

    from stg_segment__messages
    group by message_type, event_name, tool_key

),

-- Names are compared without case and separators. The taxonomy may distinguish two such spellings:
-- the same one as sent takes precedence.
planned_names as (

    select
        raw_names.raw_name_key,
        event_taxonomy.event_name,
        event_taxonomy.feature_key,
        event_taxonomy.is_key_action

    from raw_names
    inner join event_taxonomy
        on
            replace({{ normalised_name('raw_names.raw_event_name') }}, ' ', '')
            = replace({{ normalised_name('event_taxonomy.raw_event_name') }}, ' ', '')
    where raw_names.message_type = 'track'
    qualify
        row_number() over (
            partition by raw_names.raw_name_key
            order by
                raw_names.raw_event_name != event_taxonomy.raw_event_name,
                event_taxonomy.raw_event_name
        ) = 1

),

-- What an event of the main funnel does to its document.
document_actions as (

    select
        replace({{ normalised_name('event_name') }}, ' ', '') as event_name_key,
        case
            when outcome = 'failure' then 'fail'
            when outcome = 'aside' then 'share'
            when step_number = 1 then 'begin'
            when step_number = max(step_number) filter (where outcome = 'success') over ()
                then 'finish'
            else 'process'
        end as document_action

    from funnels
    where funnel_key = '{{ var("main_funnel") }}'
    qualify row_number() over (partition by event_name_key order by step_number) = 1

),

named as (

    select
        raw_names.raw_name_key,
        raw_names.message_type,
        raw_names.raw_event_name,
        coalesce(
            features.tool_key, raw_names.tool_key, features_of_events.tool_key
        ) as tool_key,
        case raw_names.message_type
            when 'track'
                then
                    coalesce(
                        planned_names.event_name,
                        nullif(trim(raw_names.raw_event_name), ''),
                        '(unnamed)'
                    )
            when 'page' then 'Page Viewed'
            when 'screen' then 'Screen Viewed'
            when 'identify' then 'User Identified'
            when 'group' then 'Workspace Identified'
            when 'alias' then 'User Aliased'
        end as event_name,
        coalesce(planned_names.feature_key, features.feature_key) as feature_key,
        raw_names.message_type != 'track'
        or planned_names.event_name is not null as is_known_event,
        coalesce(planned_names.is_key_action, false) as is_key_action

    from raw_names
    left join planned_names
        on raw_names.raw_name_key = planned_names.raw_name_key
    left join features
        on
            replace({{ normalised_name('raw_names.tool_key') }}, ' ', '')
            = replace({{ normalised_name('features.tool_key') }}, ' ', '')
    left join features as features_of_events
        on planned_names.feature_key = features_of_events.feature_key

),

resolved as (

    select
        named.raw_name_key,
        named.message_type,
        named.raw_event_name,
        named.tool_key,
        named.event_name,
        named.feature_key,
        named.is_known_event,
        named.is_key_action,
        document_actions.document_action,
        {{ row_digest([
            'named.event_name',
            'named.tool_key',
            'named.feature_key',
            'named.is_known_event',
            'named.is_key_action',
            'document_actions.document_action',
        ]) }} as _digest

    from named
    left join document_actions
        on
            replace({{ normalised_name('named.event_name') }}, ' ', '')
            = document_actions.event_name_key
            and named.message_type = 'track'

),

final as (

    select
        resolved.raw_name_key,
        resolved.message_type,
        resolved.raw_event_name,
        resolved.tool_key,
        resolved.event_name,
        resolved.feature_key,
        resolved.is_known_event,
        resolved.is_key_action,
        resolved.document_action,
        resolved._digest,
        {{ built_at() }} as _built_at

    from resolved
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            resolved.raw_name_key = known.raw_name_key
            and resolved._digest = known._digest
    where known.raw_name_key is null
    {%- endif %}

)

select * from final
