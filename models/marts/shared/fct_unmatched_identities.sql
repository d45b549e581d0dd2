with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

int_account_matches as (

    select * from {{ ref('int_account_matches') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_user_workspace_intervals as (

    select * from {{ ref('int_user_workspace_intervals') }}

),

-- Of a user's workspaces in other accounts, the one the user was in last.
former_accounts as (

    select
        int_user_workspace_intervals.user_id,
        workspaces.account_id as other_account_id

    from int_user_workspace_intervals
    inner join bridge_account_identities as workspaces
        on
            int_user_workspace_intervals.workspace_id = workspaces.foreign_id
            and workspaces.foreign_type = 'workspace'
    inner join bridge_account_identities as users
        on
            int_user_workspace_intervals.user_id = users.foreign_id
            and users.foreign_type = 'user'
    where workspaces.account_id != users.account_id
    qualify
        row_number() over (
            partition by int_user_workspace_intervals.user_id
            order by
                int_user_workspace_intervals.valid_from_at desc nulls last,
                int_user_workspace_intervals.workspace_id asc
        ) = 1

),

records as (

    -- A merged or deleted account is not missing in the other systems.
    select
        'salesforce' as source_system,
        'account' as foreign_type,
        dim_accounts.account_id as foreign_id,
        case when int_salesforce_accounts_known.is_delivered then dim_accounts.account_name end
            as record_name,
        dim_accounts.website_domain as record_domain,
        dim_accounts.account_id,
        'same_record' as match_rule,
        cast(1 as decimal(3, 2)) as match_confidence,
        case
            when not int_salesforce_accounts_known.is_delivered then 'not_delivered'
            else 'only_in_crm'
        end as reason,
        cast(null as string) as other_account_id

    from dim_accounts
    inner join int_salesforce_accounts_known
        on dim_accounts.account_id = int_salesforce_accounts_known.salesforce_account_id
    where
        not dim_accounts.is_deleted
        and (
            not int_salesforce_accounts_known.is_delivered
            or dim_accounts.stripe_customer_count
            + dim_accounts.workspace_count
            + dim_accounts.user_count = 0
        )

    union all

    select
        'stripe' as source_system,
        'customer' as foreign_type,
        int_customer_accounts.stripe_customer_id as foreign_id,
        int_account_matches.record_name,
        int_account_matches.record_domain,
        int_customer_accounts.account_id,
        int_customer_accounts.match_rule,
        int_customer_accounts.match_confidence,
        int_customer_accounts.review_reason as reason,
        int_account_matches.other_account_id

    from int_customer_accounts
    left join int_account_matches
        on
            int_customer_accounts.stripe_customer_id = int_account_matches.foreign_id
            and int_account_matches.foreign_type = 'customer'
    where int_customer_accounts.review_reason is not null

    union all

    -- A customer without a record of its own is known if a billing document names it.
    select
        int_account_matches.source_system,
        int_account_matches.foreign_type,
        int_account_matches.foreign_id,
        int_account_matches.record_name,
        int_account_matches.record_domain,
        int_account_matches.account_id,
        int_account_matches.match_rule,
        int_account_matches.match_confidence,
        int_account_matches.review_reason as reason,
        int_account_matches.other_account_id

    from int_account_matches
    left join int_customer_accounts
        on int_account_matches.account_id = int_customer_accounts.stripe_customer_id
    where
        int_account_matches.foreign_type != 'customer'
        and int_account_matches.review_reason is not null
        and (
            int_account_matches.review_reason != 'unknown_account'
            or int_customer_accounts.stripe_customer_id is null
        )

    union all

    select
        users.source_system,
        users.foreign_type,
        users.foreign_id,
        int_users_described.user_name as record_name,
        int_users_described.email_domain as record_domain,
        users.account_id,
        users.match_rule,
        users.match_confidence,
        'several_accounts' as reason,
        former_accounts.other_account_id

    from former_accounts
    inner join bridge_account_identities as users
        on
            former_accounts.user_id = users.foreign_id
            and users.foreign_type = 'user'
    inner join int_users_described
        on former_accounts.user_id = int_users_described.user_id

),

final as (

    select
        source_system,
        foreign_type,
        foreign_id,
        record_name,
        record_domain,
        account_id,
        match_rule,
        match_confidence,
        match_rule not in ('unmatched', 'same_record') as is_linked,
        reason,
        other_account_id

    from records

)

select * from final
