with

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

stg_stripe__customer_extracts as (

    select * from {{ ref('stg_stripe__customer_extracts') }}

),

-- Stripe sends invoices and receipts to an unverified address, so the address counts as verified.
customers as (

    select
        stripe_customer_id,
        salesforce_account_id,
        {{ email_domain('email') }} as email_domain,
        customer_name

    from int_stripe_customers_known

),

segment_records as (

    select
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
        'user' as foreign_type,
        user_id as foreign_id,
        salesforce_account_id as named_salesforce_account_id,
        stripe_customer_id as named_stripe_customer_id,
        case when not is_email_unverified then email_domain end as record_domain,
        user_name as record_name,
        cast(null as string) as name_key,
        is_email_unverified

    from int_users_described
    where workspace_id is null

),

test_mode_customers as (

    select distinct stripe_customer_id

    from stg_stripe__customer_extracts
    where is_test_mode

),

named_ids as (

    select named_stripe_customer_id as stripe_customer_id
    from segment_records

    union all

    select foreign_id as stripe_customer_id
    from segment_records
    where foreign_type = 'workspace'

),

-- An id of a customer is trusted before the customer's own record arrives, so that the account id
-- does not change when it does. Placeholders such as "none" have another shape.
named_customers as (

    select distinct named_ids.stripe_customer_id

    from named_ids
    left join int_stripe_customers_known
        on named_ids.stripe_customer_id = int_stripe_customers_known.stripe_customer_id
    left join test_mode_customers
        on named_ids.stripe_customer_id = test_mode_customers.stripe_customer_id
    where
        regexp_extract(named_ids.stripe_customer_id, '^cus_[A-Za-z0-9]+$', 0) != ''
        and int_stripe_customers_known.stripe_customer_id is null
        and test_mode_customers.stripe_customer_id is null

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
        false as is_email_unverified,
        true as is_delivered

    from customers

    union all

    select
        'stripe' as source_system,
        'customer' as foreign_type,
        stripe_customer_id as foreign_id,
        cast(null as string) as named_salesforce_account_id,
        cast(null as string) as named_stripe_customer_id,
        cast(null as string) as record_domain,
        cast(null as string) as record_name,
        cast(null as string) as name_key,
        false as is_email_unverified,
        false as is_delivered

    from named_customers

    union all

    select
        'segment' as source_system,
        foreign_type,
        foreign_id,
        named_salesforce_account_id,
        named_stripe_customer_id,
        record_domain,
        record_name,
        name_key,
        is_email_unverified,
        true as is_delivered

    from segment_records

)

select * from final
