with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_accounts_described as (

    select * from {{ ref('int_accounts_described') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

accounts as (

    select
        account_id,
        count(*) filter (where foreign_type = 'account') as salesforce_account_count,
        count(*) filter (where foreign_type = 'customer') as stripe_customer_count,
        count(*) filter (where foreign_type = 'workspace') as workspace_count,
        count(*) filter (where foreign_type = 'user') as user_count

    from bridge_account_identities
    group by account_id

),

first_customers as (

    select
        account_id,
        min(created_at) as first_customer_created_at

    from int_customer_accounts
    group by account_id

),

first_wins as (

    select
        account_id,
        min(close_date) as first_won_date
    from int_opportunities_valued
    where is_won
    group by account_id

),

-- An invoice paid by bank transfer has no charge, and a payment may have no invoice.
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

-- An account that only billing documents name has no attributes, hence the defaults.
final as (

    select
        accounts.account_id,
        coalesce(int_accounts_described.account_name, accounts.account_id) as account_name,
        int_accounts_described.parent_account_id,
        int_accounts_described.sales_rep_id,

        coalesce(int_accounts_described.segment, 'unknown') as segment,
        int_accounts_described.account_type,
        int_accounts_described.industry,
        int_accounts_described.country,
        coalesce(int_accounts_described.region, 'unknown') as region,
        int_accounts_described.website_domain,

        int_accounts_described.employee_count,
        accounts.salesforce_account_count,
        accounts.stripe_customer_count,
        accounts.workspace_count,
        accounts.user_count,

        coalesce(int_accounts_described.is_internal, false) as is_internal,
        coalesce(int_accounts_described.is_test, false) as is_test,
        coalesce(int_accounts_described.is_deleted, false) as is_deleted,

        coalesce(
            int_accounts_described.crm_created_at,
            first_customers.first_customer_created_at,
            int_accounts_described.first_workspace_seen_at
        ) as created_at,
        {{ salesforce_passthrough('Account', 'int_accounts_described') }}
        first_wins.first_won_date,
        first_payments.first_paid_date

    from accounts
    left join int_accounts_described
        on accounts.account_id = int_accounts_described.account_id
    left join first_customers
        on accounts.account_id = first_customers.account_id
    left join first_wins
        on accounts.account_id = first_wins.account_id
    left join first_payments
        on accounts.account_id = first_payments.account_id

)

select * from final
