with

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_workspaces_linked as (

    select * from {{ ref('int_workspaces_linked') }}

),

final as (

    select
        int_users_described.user_id,
        int_workspaces_linked.account_id,
        int_users_described.workspace_id,
        int_users_described.user_name,
        int_users_described.email,
        int_users_described.title,
        int_users_described.is_internal
        or coalesce(int_workspaces_linked.is_internal, false) as is_internal,
        coalesce(int_workspaces_linked.is_test, false) as is_test,
        int_users_described.signed_up_at,
        int_users_described.first_seen_at,
        int_users_described.last_seen_at

    from int_users_described
    left join int_workspaces_linked
        on int_users_described.workspace_id = int_workspaces_linked.workspace_id

)

select * from final
