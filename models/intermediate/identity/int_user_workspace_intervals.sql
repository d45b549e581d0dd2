with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

workspaces_of_users as (

    select distinct
        int_users_aliased.user_id,
        int_users_aliased.sent_user_id,
        int_identity_signals.workspace_id

    from int_identity_signals
    inner join int_users_aliased
        on int_identity_signals.user_id = int_users_aliased.sent_user_id
    where int_identity_signals.workspace_id is not null

),

-- Most users are in one workspace only, so that their messages need not be read.
users_of_one_workspace as (

    select
        user_id,
        min(workspace_id) as workspace_id

    from workspaces_of_users
    group by user_id
    having count(distinct workspace_id) = 1

),

users_of_several_workspaces as (

    select distinct
        workspaces_of_users.user_id,
        workspaces_of_users.sent_user_id

    from workspaces_of_users
    left join users_of_one_workspace
        on workspaces_of_users.user_id = users_of_one_workspace.user_id
    where users_of_one_workspace.user_id is null

),

-- Of several messages of one instant, the one whose id sorts last counts.
observations as (

    select
        users_of_several_workspaces.user_id,
        stg_segment__messages.workspace_id,
        least(stg_segment__messages.occurred_at, stg_segment__messages.received_at) as seen_at

    from stg_segment__messages
    inner join users_of_several_workspaces
        on stg_segment__messages.user_id = users_of_several_workspaces.sent_user_id
    where stg_segment__messages.workspace_id is not null
    qualify
        row_number() over (
            partition by users_of_several_workspaces.user_id, seen_at
            order by stg_segment__messages.message_id desc
        ) = 1

),

-- A user may return to a workspace, so its first and last message would not be enough.
moves as (

    select
        user_id,
        workspace_id,
        seen_at

    from observations
    qualify
        workspace_id is distinct from lag(workspace_id) over (
            partition by user_id order by seen_at
        )

),

-- Events before the first message in a workspace count there, so the first interval has no begin.
final as (

    select
        user_id,
        workspace_id,
        case
            when row_number() over (partition by user_id order by seen_at) > 1 then seen_at
        end as valid_from_at,
        lead(seen_at) over (partition by user_id order by seen_at) as valid_to_at

    from moves

    union all

    select
        user_id,
        workspace_id,
        cast(null as timestamp) as valid_from_at,
        cast(null as timestamp) as valid_to_at

    from users_of_one_workspace

)

select * from final
