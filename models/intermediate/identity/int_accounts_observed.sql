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

{%- set internal_domains = "('" ~ var('internal_email_domains') | join("', '") ~ "')" %}

accounts as (

    select
        account_id,
        count(*) filter (where foreign_type = 'account') as salesforce_account_count,
        count(*) filter (where foreign_type = 'customer') as stripe_customer_count,
        count(*) filter (where foreign_type = 'workspace') as workspace_count

    from int_account_identities
    group by account_id

),

customers as (

    select
        int_account_identities.account_id,
        int_stripe_customers_known.customer_name,
        int_stripe_customers_known.created_at,
        stg_stripe__customers.country,
        coalesce(
            {{ email_domain('int_stripe_customers_known.email') }} in {{ internal_domains }}, false
        ) as is_internal,
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

accounts_of_customers as (

    select
        account_id,
        min_by(customer_name, seniority) filter (
            where customer_name is not null
        ) as customer_name,
        min_by(country, seniority) filter (where country is not null) as country,
        min(created_at) as created_at,
        bool_or(is_internal) as is_internal

    from customers
    group by account_id

),

accounts_of_workspaces as (

    select
        int_account_identities.account_id,
        min_by(
            int_workspaces_described.workspace_name,
            concat(
                cast(int_workspaces_described.first_seen_at as string),
                int_workspaces_described.workspace_id
            )
        ) as workspace_name,
        min(int_workspaces_described.first_seen_at) as first_seen_at,
        min(int_workspaces_described.industry) as industry,
        bool_or(
            int_workspaces_described.is_internal
            or coalesce(int_workspaces_described.workspace_domain in {{ internal_domains }}, false)
        ) as is_internal,
        bool_or(int_workspaces_described.is_test) as is_test

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
        accounts.salesforce_account_count,
        accounts.stripe_customer_count,
        accounts.workspace_count,
        coalesce(
            accounts_of_customers.customer_name, accounts_of_workspaces.workspace_name
        ) as observed_name,
        accounts_of_customers.country,
        accounts_of_workspaces.industry,
        coalesce(accounts_of_customers.created_at, accounts_of_workspaces.first_seen_at)
            as first_observed_at,
        coalesce(accounts_of_customers.is_internal, false)
        or coalesce(accounts_of_workspaces.is_internal, false) as is_internal,
        coalesce(accounts_of_workspaces.is_test, false) as is_test

    from accounts
    left join accounts_of_customers
        on accounts.account_id = accounts_of_customers.account_id
    left join accounts_of_workspaces
        on accounts.account_id = accounts_of_workspaces.account_id

)

select * from final
