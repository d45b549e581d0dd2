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

raw_names as (

    select
        {{ row_digest(['message_type', 'event_name', 'tool_key']) }} as raw_name_key,
        message_type,
        event_name as raw_event_name,
        tool_key

    from stg_segment__messages
    group by message_type, event_name, tool_key

),

resolved as (

    select
        raw_names.raw_name_key,
        raw_names.message_type,
        raw_names.raw_event_name,
        raw_names.tool_key,
        case raw_names.message_type
            when 'track'
                then coalesce(event_taxonomy.event_name, raw_names.raw_event_name, '(unnamed)')
            when 'page' then 'Page Viewed'
            when 'screen' then 'Screen Viewed'
            when 'identify' then 'User Identified'
            when 'group' then 'Workspace Identified'
            when 'alias' then 'User Aliased'
        end as event_name,
        coalesce(features.feature_key, event_taxonomy.feature_key) as feature_key,
        raw_names.message_type != 'track'
        or event_taxonomy.event_name is not null as is_known_event,
        coalesce(event_taxonomy.is_key_action, false) as is_key_action,
        {{ row_digest([
            'event_taxonomy.event_name',
            'features.feature_key',
            'event_taxonomy.feature_key',
            'event_taxonomy.is_key_action',
        ]) }} as _digest

    from raw_names
    left join event_taxonomy
        on
            raw_names.raw_event_name = event_taxonomy.raw_event_name
            and raw_names.message_type = 'track'
    left join features
        on raw_names.tool_key = features.tool_key

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
