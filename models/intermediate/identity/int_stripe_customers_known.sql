with

stg_stripe__customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}

),

stg_stripe__customer_extracts as (

    select * from {{ ref('stg_stripe__customer_extracts') }}

),

customer_records as (

    select
        stripe_customer_id,
        email,
        customer_name,
        salesforce_account_id,
        created_at,
        is_deleted,
        extracted_at as observed_at

    from stg_stripe__customer_extracts
    where not is_test_mode

    union all

    select
        stripe_customer_id,
        email,
        customer_name,
        salesforce_account_id,
        created_at,
        event_type = 'customer.deleted' as is_deleted,
        occurred_at as observed_at

    from stg_stripe__customer_events

),

-- A deletion leaves only a stub, so attributes come from the last record before it.
latest_attributes as (

    select
        stripe_customer_id,
        email,
        customer_name,
        salesforce_account_id,
        created_at

    from customer_records
    where
        not is_deleted
        or email is not null
        or customer_name is not null
    qualify
        row_number() over (
            partition by stripe_customer_id
            order by
                observed_at desc nulls last,
                salesforce_account_id desc nulls last,
                email desc nulls last,
                customer_name desc nulls last
        ) = 1

),

customers as (

    select
        stripe_customer_id,
        min(created_at) as created_at,
        min(observed_at) filter (where is_deleted) as deleted_at

    from customer_records
    where stripe_customer_id is not null
    group by stripe_customer_id

),

final as (

    select
        customers.stripe_customer_id,
        latest_attributes.email,
        latest_attributes.customer_name,
        latest_attributes.salesforce_account_id,
        coalesce(latest_attributes.created_at, customers.created_at) as created_at,
        customers.deleted_at

    from customers
    left join latest_attributes
        on customers.stripe_customer_id = latest_attributes.stripe_customer_id

)

select * from final
