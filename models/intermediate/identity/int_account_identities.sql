with

int_account_matches as (

    select * from {{ ref('int_account_matches') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

-- A user belongs to the account of the workspace. Only a user without one has a match of their own.
users as (

    select
        int_users_described.user_id,
        int_account_matches.account_id,
        case
            when int_account_matches.foreign_type = 'workspace' then 'workspace'
            else int_account_matches.match_rule
        end as match_rule,
        int_account_matches.match_confidence

    from int_users_described
    inner join int_account_matches
        on
            coalesce(int_users_described.workspace_id, int_users_described.user_id)
            = int_account_matches.foreign_id
            and case when int_users_described.workspace_id is null then 'user' else 'workspace' end
            = int_account_matches.foreign_type
    where int_account_matches.account_id is not null

),

final as (

    select
        account_id,
        'salesforce' as source_system,
        'account' as foreign_type,
        salesforce_account_id as foreign_id,
        case when is_merged then 'merged' else 'same_record' end as match_rule,
        cast(1 as decimal(3, 2)) as match_confidence

    from int_salesforce_accounts_known

    union all

    select
        account_id,
        source_system,
        foreign_type,
        foreign_id,
        match_rule,
        match_confidence

    from int_account_matches
    where
        foreign_type != 'user'
        and is_delivered

    union all

    select
        users.account_id,
        'segment' as source_system,
        'user' as foreign_type,
        int_users_aliased.sent_user_id as foreign_id,
        users.match_rule,
        users.match_confidence

    from users
    inner join int_users_aliased
        on users.user_id = int_users_aliased.user_id

)

select * from final
