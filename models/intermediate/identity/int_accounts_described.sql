with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_accounts_dated as (

    select * from {{ ref('int_accounts_dated') }}

),

int_accounts_observed as (

    select * from {{ ref('int_accounts_observed') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

{%- set internal_domains = "('" ~ var('internal_email_domains') | join("', '") ~ "')" %}

first_wins as (

    select
        int_account_identities.account_id,
        min(stg_salesforce__opportunities.close_date) as first_won_date

    from stg_salesforce__opportunities
    inner join int_account_identities
        on
            stg_salesforce__opportunities.salesforce_account_id = int_account_identities.foreign_id
            and int_account_identities.foreign_type = 'account'
    where
        stg_salesforce__opportunities.is_won
        and not stg_salesforce__opportunities.is_deleted
    group by int_account_identities.account_id

),

-- An invoice paid by bank transfer has no charge, a payment without invoice has nothing else.
payments as (

    select
        stripe_customer_id,
        created_at as paid_at
    from int_payments_linked
    where collected_minor > 0

    union all

    select
        stripe_customer_id,
        paid_at
    from int_invoices_dated
    where
        invoice_status = 'paid'
        and paid_minor > 0

),

first_payments as (

    select
        int_customer_accounts.account_id,
        cast(min(payments.paid_at) as date) as first_paid_date

    from payments
    inner join int_customer_accounts
        on payments.stripe_customer_id = int_customer_accounts.stripe_customer_id
    group by int_customer_accounts.account_id

),

final as (

    select
        int_accounts_dated.account_id,
        int_accounts_dated.account_name,
        int_accounts_dated.parent_account_id,
        int_accounts_dated.sales_rep_id,

        int_accounts_dated.segment,
        int_accounts_dated.account_type,
        int_accounts_dated.industry,
        int_accounts_dated.country,
        int_accounts_dated.region,
        int_accounts_dated.website_domain,

        int_accounts_dated.employee_count,
        int_accounts_observed.salesforce_account_count,
        int_accounts_observed.stripe_customer_count,
        int_accounts_observed.workspace_count,

        coalesce(int_accounts_dated.website_domain in {{ internal_domains }}, false)
        or int_accounts_observed.is_internal as is_internal,
        coalesce(
            regexp_extract(
                lower(stg_salesforce__accounts.account_name),
                '{{ var("test_account_pattern") }}'
            ) != '',
            false
        )
        or int_accounts_observed.is_test as is_test,
        int_accounts_dated.is_deleted,

        coalesce(
            stg_salesforce__accounts.created_at, int_accounts_observed.first_observed_at
        ) as created_at,
        first_wins.first_won_date,
        first_payments.first_paid_date

    from int_accounts_dated
    inner join int_accounts_observed
        on int_accounts_dated.account_id = int_accounts_observed.account_id
    left join stg_salesforce__accounts
        on int_accounts_dated.account_id = stg_salesforce__accounts.salesforce_account_id
    left join first_wins
        on int_accounts_dated.account_id = first_wins.account_id
    left join first_payments
        on int_accounts_dated.account_id = first_payments.account_id
    where int_accounts_dated.is_current

)

select * from final
