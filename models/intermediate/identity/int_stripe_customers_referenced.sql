with

stg_stripe__charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

stg_stripe__events as (

    select * from {{ ref('stg_stripe__events') }}

),

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

subscription_records as (

    select object
    from stg_stripe__subscription_extracts

    union all

    select object
    from stg_stripe__events
    where
        object_type = 'subscription'
        and event_type like 'customer.subscription.%'

),

billing_references as (

    select
        {{ expandable_id(json_string('object', 'customer')) }} as stripe_customer_id,
        least(
            {{ from_epoch(json_string('object', 'start_date')) }},
            {{ from_epoch(json_string('object', 'created')) }}
        ) as referenced_at

    from subscription_records

    union all

    select
        stripe_customer_id,
        created_at as referenced_at

    from stg_stripe__invoices

    union all

    select
        stripe_customer_id,
        created_at as referenced_at

    from stg_stripe__charges

),

final as (

    select
        stripe_customer_id,
        min(referenced_at) as first_referenced_at

    from billing_references
    where stripe_customer_id is not null
    group by stripe_customer_id

)

select * from final
