{#-
    A run works over the messages of loads that came or went since, and those whose name or identity
    was resolved anew. What was done is told by the rows themselves (`_loaded_at`, `_built_at`), so
    that a run cut short leaves nothing out.
-#}
{{ config(
    materialized='incremental',
    unique_key='event_id',
    post_hook="{{ delete_what_is_gone(ref('int_messages_keyed')) }}",
) }}

{%- set keyed = ref('int_messages_keyed') %}

with

int_event_names_resolved as (

    select * from {{ ref('int_event_names_resolved') }}

),

int_identities_resolved as (

    select * from {{ ref('int_identities_resolved') }}

),

int_messages_on_shared_devices as (

    select * from {{ ref('int_messages_on_shared_devices') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_users_workspaces_dated as (

    select * from {{ ref('int_users_workspaces_dated') }}

),

int_workspaces_linked as (

    select * from {{ ref('int_workspaces_linked') }}

),

int_user_agents_described as (

    select * from {{ ref('int_user_agents_described') }}

),

{%- if is_incremental() %}
{%- set has_come = '_loaded_at in (' ~ loads_lacking(keyed, this) ~ ')' %}

names_changed as (

    select raw_name_key
    from int_event_names_resolved
    where _built_at > (select max(_built_at) from {{ this }})

),

identities_changed as (

    select identity_key
    from int_identities_resolved
    where _built_at > (select max(_built_at) from {{ this }})

),

touched as (

    select message_id

    from {{ keyed }}
    where
        raw_name_key in (select names_changed.raw_name_key from names_changed)
        or identity_key in (select identities_changed.identity_key from identities_changed)

    union

    select event_id as message_id

    from {{ this }}
    where _loaded_at in ({{ loads_lacking(this, keyed) }})

),
{%- endif %}

-- What has come lies together; only what it touched has to be looked for.
messages as (

    select *
    from {{ keyed }}
    {%- if is_incremental() %}
    where {{ has_come }}

    union all

    select *
    from {{ keyed }}
    where
        message_id in (select touched.message_id from touched)
        and ({{ has_come }}) is not true
    {%- endif %}

),

with_users as (

    select
        messages.*,
        coalesce(
            int_identities_resolved.user_id, int_messages_on_shared_devices.user_id
        ) as stitched_user_id

    from messages
    left join int_identities_resolved
        on messages.identity_key = int_identities_resolved.identity_key
    left join int_messages_on_shared_devices
        on messages.message_id = int_messages_on_shared_devices.message_id

),

with_workspaces as (

    select
        with_users.*,
        coalesce(
            with_users.workspace_id, int_users_workspaces_dated.workspace_id
        ) as stitched_workspace_id

    from with_users
    left join int_users_workspaces_dated
        on
            with_users.stitched_user_id = int_users_workspaces_dated.user_id
            and with_users.occurred_at
            >= coalesce(int_users_workspaces_dated.valid_from_at, timestamp '0001-01-01')
            and with_users.occurred_at
            < coalesce(int_users_workspaces_dated.valid_to_at, timestamp '9999-12-31')

),

described as (

    select
        messages.message_id as event_id,
        messages.stitched_user_id as user_id,
        messages.anonymous_id,
        coalesce(messages.stitched_user_id, messages.anonymous_id) as person_id,
        messages.stitched_workspace_id as workspace_id,
        int_workspaces_linked.account_id,
        messages.document_id,

        messages.message_type as event_type,
        int_event_names_resolved.event_name,
        coalesce(messages.event_name, messages.page_name) as raw_event_name,
        int_event_names_resolved.feature_key,
        messages.tool_key,
        messages.file_type,
        messages.error_code,
        messages.page_path,
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
        or coalesce(int_workspaces_linked.is_internal, false) as is_internal,
        coalesce(int_workspaces_linked.is_test, false) as is_test,

        messages.occurred_at,
        cast(messages.occurred_at as date) as occurred_date,
        messages.received_at,
        messages.other_properties,
        messages._batch_id,
        messages._loaded_at

    from with_workspaces as messages
    inner join int_event_names_resolved
        on messages.raw_name_key = int_event_names_resolved.raw_name_key
    left join int_workspaces_linked
        on messages.stitched_workspace_id = int_workspaces_linked.workspace_id
    left join int_users_described
        on messages.stitched_user_id = int_users_described.user_id
    left join int_user_agents_described
        on messages.user_agent = int_user_agents_described.user_agent

),

final as (

    select
        *,
        not (is_bot or is_internal or is_test)
        and occurred_date <= cast(received_at as date) as is_counted,
        {{ built_at() }} as _built_at

    from described

)

select * from final
