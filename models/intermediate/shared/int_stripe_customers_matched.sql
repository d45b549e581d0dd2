with

int_stripe__customers_known as (

    select * from {{ ref('int_stripe__customers_known') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

int_account_candidates as (

    select * from {{ ref('int_account_candidates') }}

),

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

free_email_domains as (

    select * from {{ ref('free_email_domains') }}

),

-- A workspace that names a customer and a Salesforce account ties the two.
named_by_workspaces as (

    select
        stripe_customer_id,
        min(salesforce_account_id) as salesforce_account_id

    from int_workspaces_described
    where
        stripe_customer_id is not null
        and salesforce_account_id is not null
    group by stripe_customer_id

),

named_ids as (

    select
        int_stripe__customers_known.stripe_customer_id,
        coalesce(
            nullif(trim({{ json_string('metadata', 'salesforce_account_id') }}), ''),
            nullif(trim({{ json_string('metadata', 'sfdc_account_id') }}), ''),
            nullif(trim({{ json_string('metadata', 'salesforce_id') }}), ''),
            named_by_workspaces.salesforce_account_id
        ) as named_id

    from int_stripe__customers_known
    left join named_by_workspaces
        on int_stripe__customers_known.stripe_customer_id = named_by_workspaces.stripe_customer_id

),

customers as (

    select
        int_stripe__customers_known.stripe_customer_id,
        {{ salesforce_id18('named_ids.named_id') }} as named_account_id,
        case
            when free_email_domains.email_domain is null
                then {{ email_domain('int_stripe__customers_known.email') }}
        end as email_domain,
        {{ normalised_name('int_stripe__customers_known.customer_name') }} as name_key

    from int_stripe__customers_known
    inner join named_ids
        on int_stripe__customers_known.stripe_customer_id = named_ids.stripe_customer_id
    left join free_email_domains
        on {{ email_domain('int_stripe__customers_known.email') }} = free_email_domains.email_domain

),

-- An id that the CRM never delivered still says which customers are one account; anything else in
-- its place, such as "none", does not look like an account's id.
explicit_matches as (

    select
        customers.stripe_customer_id,
        coalesce(int_salesforce_accounts_known.account_id, customers.named_account_id) as account_id

    from customers
    left join int_salesforce_accounts_known
        on customers.named_account_id = int_salesforce_accounts_known.salesforce_account_id
    where
        int_salesforce_accounts_known.account_id is not null
        or customers.named_account_id like '001%'

),

domain_matches as (

    select
        customers.stripe_customer_id,
        int_account_candidates.account_id

    from customers
    inner join int_account_candidates
        on customers.email_domain = int_account_candidates.account_domain
    qualify
        row_number() over (
            partition by customers.stripe_customer_id
            order by
                coalesce(customers.name_key = int_account_candidates.account_name_key, false) desc,
                int_account_candidates.created_at asc,
                int_account_candidates.account_id asc
        ) = 1

),

name_matches as (

    select
        customers.stripe_customer_id,
        int_account_candidates.account_id

    from customers
    inner join int_account_candidates
        on customers.name_key = int_account_candidates.account_name_key
    qualify
        row_number() over (
            partition by customers.stripe_customer_id
            order by int_account_candidates.created_at, int_account_candidates.account_id
        ) = 1

),

final as (

    select
        customers.stripe_customer_id,
        customers.email_domain,
        customers.name_key,
        coalesce(
            explicit_matches.account_id,
            domain_matches.account_id,
            name_matches.account_id,
            customers.stripe_customer_id
        ) as account_id,
        case
            when explicit_matches.account_id is not null then 'explicit_id'
            when domain_matches.account_id is not null then 'email_domain'
            when name_matches.account_id is not null then 'exact_name'
            else 'unmatched'
        end as match_rule

    from customers
    left join explicit_matches
        on customers.stripe_customer_id = explicit_matches.stripe_customer_id
    left join domain_matches
        on customers.stripe_customer_id = domain_matches.stripe_customer_id
    left join name_matches
        on customers.stripe_customer_id = name_matches.stripe_customer_id

)

select * from final
