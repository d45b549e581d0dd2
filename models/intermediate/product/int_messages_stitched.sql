-- A view, unlike its neighbours: it is every message over again, and fct_events alone reads it.
{{ config(materialized='view') }}

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

devices_of_one_user as (

    select
        anonymous_id,
        first_user_id

    from int_devices_claimed
    where not is_shared

),

-- Ends that are open are written out: a join on anything but plain comparisons would not be hashed.
workspaces_of_users as (

    select
        user_id,
        workspace_id,
        coalesce(valid_from_at, cast('0001-01-01' as timestamp)) as valid_from_at,
        coalesce(valid_to_at, cast('9999-12-31' as timestamp)) as valid_to_at

    from int_users_workspaces_dated

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
        stg_segment__messages.properties,
        stg_segment__messages.occurred_at,
        stg_segment__messages.received_at,
        stg_segment__messages.workspace_id as sent_workspace_id,
        coalesce(
            int_users_aliased.user_id,
            int_messages_on_shared_devices.user_id,
            devices_of_one_user.first_user_id
        ) as user_id

    from stg_segment__messages
    left join int_users_aliased
        on stg_segment__messages.user_id = int_users_aliased.sent_user_id
    left join int_messages_on_shared_devices
        on stg_segment__messages.message_id = int_messages_on_shared_devices.message_id
    left join devices_of_one_user
        on stg_segment__messages.anonymous_id = devices_of_one_user.anonymous_id

),

final as (

    select
        with_users.message_id,
        with_users.user_id,
        with_users.anonymous_id,
        coalesce(
            with_users.sent_workspace_id, workspaces_of_users.workspace_id
        ) as workspace_id,
        with_users.message_type,
        with_users.event_name,
        with_users.page_name,
        with_users.page_path,
        with_users.user_agent,
        with_users.properties,
        with_users.occurred_at,
        with_users.received_at

    from with_users
    left join workspaces_of_users
        on
            with_users.user_id = workspaces_of_users.user_id
            and with_users.occurred_at >= workspaces_of_users.valid_from_at
            and with_users.occurred_at < workspaces_of_users.valid_to_at

)

select * from final
