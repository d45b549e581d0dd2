{#-
    A run works over the messages of loads that came or went, and over those whose name or identity
    was rewritten since. macros/incremental.sql explains the protocol. Messages are read by their
    table's name, because DuckDB materializes a CTE that is read more than once.
-#}
{{ config(
    materialized='incremental',
    unique_key='event_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, ref('stg_segment__messages')) }}){% endif %}",
) }}

{%- set raw_name_key = row_digest(['message_type', 'event_name', 'tool_key']) %}
{%- set identity_key = row_digest(['anonymous_id', 'user_id', 'workspace_id']) %}
{%- set columns = [
    'message_id', 'anonymous_id', 'workspace_id', 'document_id',
    'page_name', 'page_path', 'file_type', 'error_code', 'user_agent', 'os_name', 'device_type',
    'page_count', 'file_size_bytes', 'duration_ms', 'other_properties',
    'occurred_at', 'received_at', '_batch_id', '_loaded_at',
    'case when touch is not null then ' ~ row_digest(['touch']) ~ ' end as touch_key',
    raw_name_key ~ ' as raw_name_key', identity_key ~ ' as identity_key',
] | join(',\n        ') %}
{%- set user_id =
    'coalesce(int_message_identities.user_id, int_messages_on_shared_devices.user_id)' %}
{%- set workspace_id =
    'coalesce(messages.workspace_id, int_user_workspace_intervals.workspace_id)' %}

with

int_event_names_resolved as (

    select * from {{ ref('int_event_names_resolved') }}

),

int_message_identities as (

    select * from {{ ref('int_message_identities') }}

),

int_messages_on_shared_devices as (

    select * from {{ ref('int_messages_on_shared_devices') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_user_workspace_intervals as (

    select * from {{ ref('int_user_workspace_intervals') }}

),

int_segment_identities_linked as (

    select * from {{ ref('int_segment_identities_linked') }}

),

int_user_agents_described as (

    select * from {{ ref('int_user_agents_described') }}

),

{%- if is_incremental() %}
{%- set new_loads = loads_only_in(ref('stg_segment__messages'), this) %}

names_changed as (

    select raw_name_key
    from int_event_names_resolved
    where _built_at > (select max(_built_at) from {{ this }})

),

identities_changed as (

    select identity_key
    from int_message_identities
    where _built_at > (select max(_built_at) from {{ this }})

),

messages_touched as (

    select message_id

    from {{ ref('stg_segment__messages') }}
    where
        {{ raw_name_key }} in (select names_changed.raw_name_key from names_changed)
        or {{ identity_key }} in (select identities_changed.identity_key from identities_changed)

    union distinct

    select event_id as message_id

    from {{ this }}
    where _loaded_at in ({{ loads_only_in(this, ref('stg_segment__messages')) }})

),
{%- endif %}

-- New messages are contiguous in the table. Only the touched ones have to be searched for.
messages as (

    select
        {{ columns }}

    from {{ ref('stg_segment__messages') }}
    {%- if is_incremental() %}
    where _loaded_at in ({{ new_loads }})

    union all

    select
        {{ columns }}

    from {{ ref('stg_segment__messages') }}
    where
        message_id in (select messages_touched.message_id from messages_touched)
        and _loaded_at not in ({{ new_loads }})
    {%- endif %}

),

final as (

    select
        messages.message_id as event_id,
        {{ user_id }} as user_id,
        messages.anonymous_id,
        coalesce({{ user_id }}, messages.anonymous_id) as person_id,
        {{ workspace_id }} as workspace_id,
        links.account_id,
        messages.document_id,

        int_event_names_resolved.message_type as event_type,
        int_event_names_resolved.event_name,
        coalesce(int_event_names_resolved.raw_event_name, messages.page_name) as raw_event_name,
        int_event_names_resolved.feature_key,
        int_event_names_resolved.tool_key,
        int_event_names_resolved.document_action,
        messages.file_type,
        messages.error_code,
        messages.page_path,
        cast(messages.touch_key as decimal(20, 0)) as touch_key,
        int_user_agents_described.browser_name,
        coalesce(int_user_agents_described.os_name, messages.os_name) as os_name,
        coalesce(int_user_agents_described.device_type, lower(messages.device_type)) as device_type,

        messages.page_count,
        messages.file_size_bytes,
        messages.duration_ms,

        int_event_names_resolved.is_known_event,
        int_event_names_resolved.is_key_action,
        messages.occurred_at > messages.received_at as is_future,
        coalesce(int_user_agents_described.is_bot, false) as is_bot,
        coalesce(int_users_described.is_internal, false)
        or coalesce(links.is_internal, false) as is_internal,
        coalesce(links.is_test, false) as is_test,

        messages.occurred_at,
        cast(messages.occurred_at as date) as occurred_date,
        messages.received_at,
        messages.other_properties,
        messages._batch_id,
        messages._loaded_at,
        not (
            coalesce(int_user_agents_described.is_bot, false)
            or coalesce(int_users_described.is_internal, false)
            or coalesce(links.is_internal, false)
            or coalesce(links.is_test, false)
        )
        and cast(messages.occurred_at as date) <= cast(messages.received_at as date) as is_counted,
        {{ built_at() }} as _built_at

    from messages
    inner join int_event_names_resolved
        on messages.raw_name_key = int_event_names_resolved.raw_name_key
    left join int_message_identities
        on messages.identity_key = int_message_identities.identity_key
    left join int_messages_on_shared_devices
        on messages.message_id = int_messages_on_shared_devices.message_id
    left join int_user_workspace_intervals
        on
            {{ user_id }} = int_user_workspace_intervals.user_id
            and messages.occurred_at
            >= coalesce(int_user_workspace_intervals.valid_from_at, timestamp '0001-01-01')
            and messages.occurred_at
            < coalesce(int_user_workspace_intervals.valid_to_at, timestamp '9999-12-31')
    -- An event is in the account of its workspace. Without one it is in the user's own.
    left join int_segment_identities_linked as links
        on
            coalesce({{ workspace_id }}, {{ user_id }}) = links.foreign_id
            and case when {{ workspace_id }} is null then 'user' else 'workspace' end
            = links.foreign_type
    left join int_users_described
        on {{ user_id }} = int_users_described.user_id
    left join int_user_agents_described
        on messages.user_agent = int_user_agents_described.user_agent

)

select * from final
