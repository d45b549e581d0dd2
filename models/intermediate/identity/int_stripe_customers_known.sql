with

stg_stripe__customer_extracts as (

    select * from {{ ref('stg_stripe__customer_extracts') }}

),

stg_stripe__events as (

    select * from {{ ref('stg_stripe__events') }}

),

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

stg_stripe__charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

customer_statements as (

    select
        stripe_customer_id,
        email,
        customer_name,
        metadata,
        created_at,
        is_deleted,
        extracted_at as stated_at

    from stg_stripe__customer_extracts

    union all

    select
        object_id as stripe_customer_id,
        {{ json_string('object', 'email') }} as email,
        {{ json_string('object', 'name') }} as customer_name,
        {{ json_value('object', 'metadata') }} as metadata,
        {{ from_epoch(json_string('object', 'created')) }} as created_at,
        event_type = 'customer.deleted' as is_deleted,
        occurred_at as stated_at

    from stg_stripe__events
    where
        object_type = 'customer'
        and event_type in ('customer.created', 'customer.updated', 'customer.deleted')

),

-- A deletion leaves only a stub, so names and links are those of the last statement before it.
latest_attributes as (

    select
        stripe_customer_id,
        email,
        customer_name,
        metadata,
        created_at

    from customer_statements
    where
        not is_deleted
        or email is not null
        or customer_name is not null
    qualify
        row_number() over (
            partition by stripe_customer_id
            order by stated_at desc, cast(metadata as string) desc, email desc, customer_name desc
        ) = 1

),

deletions as (

    select
        stripe_customer_id,
        min(stated_at) as deleted_at

    from customer_statements
    where is_deleted
    group by stripe_customer_id

),

references_to_customers as (

    select
        stripe_customer_id,
        started_at as referred_at
    from int_subscription_source_records

    union all

    select
        stripe_customer_id,
        created_at as referred_at
    from stg_stripe__invoices

    union all

    select
        stripe_customer_id,
        created_at as referred_at
    from stg_stripe__charges

    union all

    select
        stripe_customer_id,
        created_at as referred_at
    from customer_statements

),

known_customers as (

    select
        stripe_customer_id,
        min(referred_at) as first_seen_at

    from references_to_customers
    where stripe_customer_id is not null
    group by stripe_customer_id

),

final as (

    select
        known_customers.stripe_customer_id,
        latest_attributes.email,
        latest_attributes.customer_name,
        latest_attributes.metadata,
        coalesce(latest_attributes.created_at, known_customers.first_seen_at) as created_at,
        deletions.deleted_at

    from known_customers
    left join latest_attributes
        on known_customers.stripe_customer_id = latest_attributes.stripe_customer_id
    left join deletions
        on known_customers.stripe_customer_id = deletions.stripe_customer_id

)

select * from final
