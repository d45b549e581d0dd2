with

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

int_stripe_customers_matched as (

    select * from {{ ref('int_stripe_customers_matched') }}

),

int_account_candidates as (

    select * from {{ ref('int_account_candidates') }}

),

free_email_domains as (

    select * from {{ ref('free_email_domains') }}

),

workspaces as (

    select
        int_workspaces_described.workspace_id,
        int_workspaces_described.salesforce_account_id,
        int_workspaces_described.stripe_customer_id,
        {{ salesforce_id18('int_workspaces_described.workspace_id') }} as id_as_salesforce_id,
        case
            when free_email_domains.email_domain is null
                then int_workspaces_described.workspace_domain
        end as workspace_domain,
        {{ normalised_name('int_workspaces_described.workspace_name') }} as name_key

    from int_workspaces_described
    left join free_email_domains
        on int_workspaces_described.workspace_domain = free_email_domains.email_domain

),

explicit_matches as (

    select
        workspaces.workspace_id,
        coalesce(
            named_accounts.account_id,
            case
                when workspaces.salesforce_account_id like '001%'
                    then workspaces.salesforce_account_id
            end,
            named_customers.account_id,
            accounts_of_same_id.account_id,
            customers_of_same_id.account_id
        ) as account_id

    from workspaces
    left join int_salesforce_accounts_known as named_accounts
        on workspaces.salesforce_account_id = named_accounts.salesforce_account_id
    left join int_stripe_customers_matched as named_customers
        on workspaces.stripe_customer_id = named_customers.stripe_customer_id
    left join int_salesforce_accounts_known as accounts_of_same_id
        on workspaces.id_as_salesforce_id = accounts_of_same_id.salesforce_account_id
    left join int_stripe_customers_matched as customers_of_same_id
        on workspaces.workspace_id = customers_of_same_id.stripe_customer_id

),

-- A customer without a Salesforce account is an account too; the CRM's come first.
candidates as (

    select
        account_id,
        account_domain,
        account_name_key,
        created_at,
        1 as preference_number

    from int_account_candidates

    union all

    select
        account_id,
        email_domain as account_domain,
        name_key as account_name_key,
        null as created_at,
        2 as preference_number

    from int_stripe_customers_matched
    where match_rule = 'unmatched'

),

domain_matches as (

    select
        workspaces.workspace_id,
        candidates.account_id

    from workspaces
    inner join candidates
        on workspaces.workspace_domain = candidates.account_domain
    qualify
        row_number() over (
            partition by workspaces.workspace_id
            order by
                candidates.preference_number asc,
                coalesce(workspaces.name_key = candidates.account_name_key, false) desc,
                candidates.created_at asc,
                candidates.account_id asc
        ) = 1

),

name_matches as (

    select
        workspaces.workspace_id,
        candidates.account_id

    from workspaces
    inner join candidates
        on workspaces.name_key = candidates.account_name_key
    qualify
        row_number() over (
            partition by workspaces.workspace_id
            order by
                candidates.preference_number,
                candidates.created_at,
                candidates.account_id
        ) = 1

),

final as (

    select
        workspaces.workspace_id,
        coalesce(
            explicit_matches.account_id,
            domain_matches.account_id,
            name_matches.account_id,
            workspaces.workspace_id
        ) as account_id,
        case
            when explicit_matches.account_id is not null then 'explicit_id'
            when domain_matches.account_id is not null then 'email_domain'
            when name_matches.account_id is not null then 'exact_name'
            else 'unmatched'
        end as match_rule

    from workspaces
    left join explicit_matches
        on workspaces.workspace_id = explicit_matches.workspace_id
    left join domain_matches
        on workspaces.workspace_id = domain_matches.workspace_id
    left join name_matches
        on workspaces.workspace_id = name_matches.workspace_id

)

select * from final
