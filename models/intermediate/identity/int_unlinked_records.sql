with

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

int_users_claimed as (

    select * from {{ ref('int_users_claimed') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

-- Stripe does not verify addresses; invoices and receipts go there, so they are taken as verified.
customers as (

    select
        stripe_customer_id,
        {{ json_first_string('metadata', var('salesforce_account_id_fields')) }}
            as salesforce_account_id,
        {{ email_domain('email') }} as email_domain,
        customer_name

    from int_stripe_customers_known

),

final as (

    select
        'stripe' as source_system,
        'customer' as foreign_type,
        stripe_customer_id as foreign_id,
        {{ salesforce_id18('salesforce_account_id') }} as named_salesforce_account_id,
        cast(null as string) as named_stripe_customer_id,
        email_domain as record_domain,
        customer_name as record_name,
        {{ normalised_name('customer_name') }} as name_key,
        false as is_email_unverified

    from customers

    union all

    select
        'segment' as source_system,
        'workspace' as foreign_type,
        workspace_id as foreign_id,
        salesforce_account_id as named_salesforce_account_id,
        stripe_customer_id as named_stripe_customer_id,
        workspace_domain as record_domain,
        workspace_name as record_name,
        {{ normalised_name('workspace_name') }} as name_key,
        false as is_email_unverified

    from int_workspaces_described

    union all

    select
        'segment' as source_system,
        'user' as foreign_type,
        int_users_described.user_id as foreign_id,
        int_users_claimed.salesforce_account_id as named_salesforce_account_id,
        int_users_claimed.stripe_customer_id as named_stripe_customer_id,
        case
            when not coalesce(int_users_claimed.is_email_unverified, false)
                then int_users_described.email_domain
        end as record_domain,
        int_users_described.user_name as record_name,
        cast(null as string) as name_key,
        coalesce(int_users_claimed.is_email_unverified, false) as is_email_unverified

    from int_users_described
    left join int_users_claimed
        on int_users_described.user_id = int_users_claimed.user_id
    where int_users_described.workspace_id is null

)

select * from final
