with

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

int_stripe_customers_matched as (

    select * from {{ ref('int_stripe_customers_matched') }}

),

int_workspaces_matched as (

    select * from {{ ref('int_workspaces_matched') }}

),

final as (

    select
        account_id,
        'salesforce' as source_system,
        'account' as foreign_type,
        salesforce_account_id as foreign_id,
        case when is_merged then 'merged' else 'same_record' end as match_rule

    from int_salesforce_accounts_known

    union all

    select
        account_id,
        'stripe' as source_system,
        'customer' as foreign_type,
        stripe_customer_id as foreign_id,
        match_rule

    from int_stripe_customers_matched

    union all

    select
        account_id,
        'segment' as source_system,
        'workspace' as foreign_type,
        workspace_id as foreign_id,
        match_rule

    from int_workspaces_matched

)

select * from final
