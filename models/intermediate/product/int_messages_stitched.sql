with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

int_devices_claimed as (

    select * from {{ ref('int_devices_claimed') }}

),

int_messages_on_shared_devices as (

    select * from {{ ref('int_messages_on_shared_devices') }}

),

int_users_workspaces_dated as (

    select * from {{ ref('int_users_workspaces_dated') }}

),

with_users as (

    select
        stg_segment__messages.message_id,
        stg_segment__messages.anonymous_id,
        stg_segment__messages.message_type,
        stg_segment__messages.event_name,
        stg_segment__messages.page_name,
        stg_segment__messages.page_path,
        stg_segment__messages.user_agent,
        stg_segment__messages.library_name,
        stg_segment__messages.properties,
        stg_segment__messages.occurred_at,
        stg_segment__messages.received_at,
        stg_segment__messages.workspace_id as sent_workspace_id,
        coalesce(
            int_users_aliased.user_id,
            int_messages_on_shared_devices.user_id,
            int_devices_claimed.first_user_id
        ) as user_id

    from stg_segment__messages
    left join int_users_aliased
        on stg_segment__messages.user_id = int_users_aliased.sent_user_id
    left join int_messages_on_shared_devices
        on
            stg_segment__messages.message_id = int_messages_on_shared_devices.message_id
            and stg_segment__messages.user_id is null
    left join int_devices_claimed
        on
            stg_segment__messages.anonymous_id = int_devices_claimed.anonymous_id
            and stg_segment__messages.user_id is null
            and not int_devices_claimed.is_shared

),

final as (

    select
        with_users.message_id,
        with_users.user_id,
        with_users.anonymous_id,
        coalesce(
            with_users.sent_workspace_id, int_users_workspaces_dated.workspace_id
        ) as workspace_id,
        with_users.message_type,
        with_users.event_name,
        with_users.page_name,
        with_users.page_path,
        with_users.user_agent,
        with_users.library_name,
        with_users.properties,
        with_users.occurred_at,
        with_users.received_at

    from with_users
    left join int_users_workspaces_dated
        on
            with_users.user_id = int_users_workspaces_dated.user_id
            and with_users.sent_workspace_id is null
            and (
                int_users_workspaces_dated.valid_from_at is null
                or int_users_workspaces_dated.valid_from_at <= with_users.occurred_at
            )
            and (
                int_users_workspaces_dated.valid_to_at is null
                or int_users_workspaces_dated.valid_to_at > with_users.occurred_at
            )

)

select * from final
