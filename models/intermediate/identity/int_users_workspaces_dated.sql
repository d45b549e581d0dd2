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

-- Nearly everybody is in one workspace, and nobody's messages need to be looked at for that.
settled as (

    select
        user_id,
        min(workspace_id) as workspace_id

    from workspaces_of_users
    group by user_id
    having count(distinct workspace_id) = 1

),

movers as (

    select distinct
        workspaces_of_users.user_id,
        workspaces_of_users.sent_user_id

    from workspaces_of_users
    left join settled
        on workspaces_of_users.user_id = settled.user_id
    where settled.user_id is null

),

-- Of several messages of one instant the one whose id sorts last.
sightings as (

    select
        movers.user_id,
        stg_segment__messages.workspace_id,
        least(stg_segment__messages.occurred_at, stg_segment__messages.received_at) as seen_at

    from stg_segment__messages
    inner join movers
        on stg_segment__messages.user_id = movers.sent_user_id
    where stg_segment__messages.workspace_id is not null
    qualify
        row_number() over (
            partition by movers.user_id, seen_at
            order by stg_segment__messages.message_id desc
        ) = 1

),

-- A user may come back, so a first and a last sight of each workspace would not do.
moves as (

    select
        user_id,
        workspace_id,
        seen_at

    from sightings
    qualify
        workspace_id is distinct from lag(workspace_id) over (
            partition by user_id order by seen_at
        )

),

-- What a user did before being seen in a workspace leads there, so the first stay has no beginning.
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

    from settled

)

select * from final
