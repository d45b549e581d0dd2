{%- set internal_domains = "('" ~ var('internal_email_domains') | join("', '") ~ "')" %}

with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

internal_workspaces as (

    select workspace_id

    from int_users_described
    where
        workspace_id is not null
        and email is not null
    group by workspace_id
    having bool_and(is_internal)

),

-- Only the surviving Salesforce account counts, not the ones merged into it.
final as (

    select
        int_account_identities.account_id,
        coalesce(
            bool_or(
                {{ website_domain('stg_salesforce__accounts.website') }} in {{ internal_domains }}
                or {{ email_domain('int_stripe_customers_known.email') }} in {{ internal_domains }}
                or int_workspaces_described.workspace_domain in {{ internal_domains }}
                or internal_workspaces.workspace_id is not null
            ),
            false
        ) as is_internal,
        coalesce(
            bool_or(
                regexp_extract(
                    lower(stg_salesforce__accounts.account_name),
                    '{{ var("test_account_pattern") }}',
                    0
                ) != ''
                or int_workspaces_described.is_test
            ),
            false
        ) as is_test

    from int_account_identities
    left join stg_salesforce__accounts
        on
            int_account_identities.account_id = stg_salesforce__accounts.salesforce_account_id
            and int_account_identities.foreign_id = stg_salesforce__accounts.salesforce_account_id
            and int_account_identities.foreign_type = 'account'
    left join int_stripe_customers_known
        on
            int_account_identities.foreign_id = int_stripe_customers_known.stripe_customer_id
            and int_account_identities.foreign_type = 'customer'
    left join int_workspaces_described
        on
            int_account_identities.foreign_id = int_workspaces_described.workspace_id
            and int_account_identities.foreign_type = 'workspace'
    left join internal_workspaces
        on int_workspaces_described.workspace_id = internal_workspaces.workspace_id
    group by int_account_identities.account_id

)

select * from final
