with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

stg_stripe__customers as (

    select * from {{ ref('stg_stripe__customers') }}

),

accounts as (

    select distinct account_id
    from int_account_identities

),

customers as (

    select
        int_account_identities.account_id,
        int_stripe_customers_known.customer_name,
        stg_stripe__customers.country,
        concat(
            coalesce(cast(int_stripe_customers_known.created_at as string), 'unknown'),
            int_stripe_customers_known.stripe_customer_id
        ) as seniority

    from int_account_identities
    inner join int_stripe_customers_known
        on
            int_account_identities.foreign_id = int_stripe_customers_known.stripe_customer_id
            and int_account_identities.foreign_type = 'customer'
    left join stg_stripe__customers
        on
            int_stripe_customers_known.stripe_customer_id
            = stg_stripe__customers.stripe_customer_id

),

customers_by_account as (

    select
        account_id,
        min_by(customer_name, seniority) filter (
            where customer_name is not null
        ) as customer_name,
        min_by(country, seniority) filter (where country is not null) as country

    from customers
    group by account_id

),

workspaces_by_account as (

    select
        int_account_identities.account_id,
        min_by(
            int_workspaces_described.workspace_name,
            concat(
                cast(int_workspaces_described.first_seen_at as string),
                int_workspaces_described.workspace_id
            )
        ) filter (where int_workspaces_described.workspace_name is not null) as workspace_name,
        min(int_workspaces_described.first_seen_at) as first_workspace_seen_at,
        min(int_workspaces_described.industry) as industry

    from int_account_identities
    inner join int_workspaces_described
        on
            int_account_identities.foreign_id = int_workspaces_described.workspace_id
            and int_account_identities.foreign_type = 'workspace'
    group by int_account_identities.account_id

),

final as (

    select
        accounts.account_id,
        coalesce(
            customers_by_account.customer_name, workspaces_by_account.workspace_name
        ) as observed_name,
        customers_by_account.country,
        workspaces_by_account.industry,
        workspaces_by_account.first_workspace_seen_at

    from accounts
    left join customers_by_account
        on accounts.account_id = customers_by_account.account_id
    left join workspaces_by_account
        on accounts.account_id = workspaces_by_account.account_id

)

select * from final
