{%- set typed_properties = {
    'document_id': 'varchar',
    'tool': 'varchar',
    'file_type': 'varchar',
    'error_code': 'varchar',
    'pages': 'bigint',
    'size_bytes': 'bigint',
    'duration_ms': 'bigint',
} -%}

with

int_messages_stitched as (

    select * from {{ ref('int_messages_stitched') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

event_taxonomy as (

    select * from {{ ref('event_taxonomy') }}

),

features as (

    select * from {{ ref('features') }}

),

with_fields as (

    select
        *,
        {{ json_fields('properties', typed_properties) }} as fields

    from int_messages_stitched

),

messages as (

    select
        *,
        fields.document_id,
        fields.tool as tool_key,
        fields.file_type,
        fields.error_code,
        fields.pages as page_count,
        fields.size_bytes as file_size_bytes,
        fields.duration_ms

    from with_fields

),

flagged as (

    select
        messages.message_id as event_id,
        messages.user_id,
        messages.anonymous_id,
        coalesce(messages.user_id, messages.anonymous_id) as person_id,
        messages.workspace_id,
        bridge_account_identities.account_id,
        messages.document_id,

        messages.message_type as event_type,
        case messages.message_type
            when 'track'
                then coalesce(event_taxonomy.event_name, messages.event_name, '(unnamed)')
            when 'page' then 'Page Viewed'
            when 'screen' then 'Screen Viewed'
            when 'identify' then 'User Identified'
            when 'group' then 'Workspace Identified'
            when 'alias' then 'User Aliased'
        end as event_name,
        coalesce(messages.event_name, messages.page_name) as raw_event_name,
        coalesce(features.feature_key, event_taxonomy.feature_key) as feature_key,
        messages.tool_key,
        messages.file_type,
        messages.error_code,
        messages.page_path,

        messages.page_count,
        messages.file_size_bytes,
        messages.duration_ms,

        messages.message_type != 'track'
        or event_taxonomy.event_name is not null as is_known_event,
        coalesce(event_taxonomy.is_key_action, false) as is_key_action,
        messages.occurred_at > messages.received_at as is_future,
        {%- set agent = 'lower(messages.user_agent)' %}
        coalesce(
            {{ agent }} like '%bot%'
            or {{ agent }} like '%crawl%'
            or {{ agent }} like '%spider%'
            or {{ agent }} like '%headless%'
            or {{ agent }} like '%uptime%'
            or {{ agent }} like '%monitor%',
            false
        ) as is_bot,
        coalesce(int_users_described.is_internal, false)
        or coalesce(dim_accounts.is_internal, false) as is_internal,
        coalesce(dim_accounts.is_test, false) as is_test,

        messages.occurred_at,
        cast(messages.occurred_at as date) as occurred_date,
        messages.received_at,
        {{ json_without('messages.properties', typed_properties) }} as other_properties

    from messages
    left join event_taxonomy
        on messages.event_name = event_taxonomy.raw_event_name
    left join features
        on messages.tool_key = features.tool_key
    left join bridge_account_identities
        on
            messages.workspace_id = bridge_account_identities.foreign_id
            and bridge_account_identities.source_system = 'segment'
            and bridge_account_identities.foreign_type = 'workspace'
    left join dim_accounts
        on bridge_account_identities.account_id = dim_accounts.account_id
    left join int_users_described
        on messages.user_id = int_users_described.user_id

),

final as (

    select
        *,
        not (is_bot or is_internal or is_test)
        and occurred_date <= cast(received_at as date) as is_counted

    from flagged

)

select * from final
