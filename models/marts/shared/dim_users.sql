with

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        int_users_described.user_id,
        bridge_account_identities.account_id,
        int_users_described.workspace_id,
        int_users_described.user_name,
        int_users_described.email,
        int_users_described.title,
        int_users_described.is_internal
        or coalesce(dim_accounts.is_internal, false) as is_internal,
        coalesce(dim_accounts.is_test, false) as is_test,
        int_users_described.signed_up_at,
        int_users_described.first_seen_at,
        int_users_described.last_seen_at

    from int_users_described
    left join bridge_account_identities
        on
            int_users_described.workspace_id = bridge_account_identities.foreign_id
            and bridge_account_identities.source_system = 'segment'
            and bridge_account_identities.foreign_type = 'workspace'
    left join dim_accounts
        on bridge_account_identities.account_id = dim_accounts.account_id

)

select * from final
