{#-
    The user and account of an identity's messages can change without a new message: by a late
    identify or alias call, or by a new account match. Only changed rows are rewritten, so that
    `_built_at` shows fct_events which messages to process again.
-#}
{{ config(
    materialized='incremental',
    unique_key='identity_key',
) }}

with

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

int_devices_identified as (

    select * from {{ ref('int_devices_identified') }}

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

links as (

    select
        foreign_type,
        foreign_id,
        {{ row_digest(['account_id', 'is_internal', 'is_test']) }} as digest

    from int_segment_identities_linked

),

workspaces_of_users as (

    select
        int_user_workspace_intervals.user_id,
        sum({{ row_digest([
            'int_user_workspace_intervals.workspace_id',
            'int_user_workspace_intervals.valid_from_at',
            'int_user_workspace_intervals.valid_to_at',
            'links.digest',
        ]) }}) as digest

    from int_user_workspace_intervals
    left join links
        on
            int_user_workspace_intervals.workspace_id = links.foreign_id
            and links.foreign_type = 'workspace'
    group by int_user_workspace_intervals.user_id

),

users as (

    select
        int_users_described.user_id,
        {{ row_digest([
            'int_users_described.user_id',
            'int_users_described.is_internal',
            'workspaces_of_users.digest',
            'links.digest',
        ]) }} as digest

    from int_users_described
    left join workspaces_of_users
        on int_users_described.user_id = workspaces_of_users.user_id
    left join links
        on
            int_users_described.user_id = links.foreign_id
            and links.foreign_type = 'user'

),

shared_devices as (

    select
        int_messages_on_shared_devices.anonymous_id,
        sum(
            {{ row_digest(['int_messages_on_shared_devices.message_id', 'users.digest']) }}
        ) as digest

    from int_messages_on_shared_devices
    left join users
        on int_messages_on_shared_devices.user_id = users.user_id
    group by int_messages_on_shared_devices.anonymous_id

),

observed as (

    select distinct
        {{ row_digest(['anonymous_id', 'user_id', 'workspace_id']) }} as identity_key,
        anonymous_id,
        user_id,
        workspace_id

    from int_identity_signals

),

identities as (

    select
        observed.identity_key,
        coalesce(
            int_users_aliased.user_id,
            case
                when not int_devices_identified.is_shared
                    then int_devices_identified.first_user_id
            end
        ) as user_id,
        observed.workspace_id,
        case
            when observed.user_id is null and int_devices_identified.is_shared
                then observed.anonymous_id
        end as shared_anonymous_id

    from observed
    left join int_users_aliased
        on observed.user_id = int_users_aliased.sent_user_id
    left join int_devices_identified
        on observed.anonymous_id = int_devices_identified.anonymous_id

),

resolved as (

    select
        identities.identity_key,
        identities.user_id,
        {{ row_digest(['users.digest', 'links.digest', 'shared_devices.digest']) }} as _digest

    from identities
    left join users
        on identities.user_id = users.user_id
    left join links
        on
            identities.workspace_id = links.foreign_id
            and links.foreign_type = 'workspace'
    left join shared_devices
        on identities.shared_anonymous_id = shared_devices.anonymous_id

),

final as (

    select
        resolved.identity_key,
        resolved.user_id,
        resolved._digest,
        {{ built_at() }} as _built_at

    from resolved
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            resolved.identity_key = known.identity_key
            and resolved._digest = known._digest
    where known.identity_key is null
    {%- endif %}

)

select * from final
