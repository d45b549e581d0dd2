with

int_account_matches as (

    select * from {{ ref('int_account_matches') }}

),

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

stg_stripe__charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

stg_stripe__credit_notes as (

    select * from {{ ref('stg_stripe__credit_notes') }}

),

stg_stripe__invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}

),

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

stg_stripe__refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

billing_references as (

    select
        stripe_customer_id,
        least(start_at, created_at) as referenced_at

    from stg_stripe__subscription_extracts

    union all

    select
        stripe_customer_id,
        least(start_at, created_at) as referenced_at

    from stg_stripe__subscription_events

    union all

    select
        stripe_customer_id,
        created_at as referenced_at

    from stg_stripe__invoices

    union all

    select
        stripe_customer_id,
        created_at as referenced_at

    from stg_stripe__invoice_events

    union all

    select
        stripe_customer_id,
        created_at as referenced_at

    from stg_stripe__charges

    union all

    select
        stripe_customer_id,
        created_at as referenced_at

    from stg_stripe__credit_notes

    union all

    select
        stripe_customer_id,
        created_at as referenced_at

    from stg_stripe__refunds

),

-- A customer's own record says when it was created; billing documents only bound the date.
customer_sources as (

    select
        stripe_customer_id,
        created_at,
        cast(null as timestamp) as referenced_at

    from int_stripe_customers_known

    union all

    select
        stripe_customer_id,
        cast(null as timestamp) as created_at,
        referenced_at

    from billing_references
    where stripe_customer_id is not null

),

customers as (

    select
        stripe_customer_id,
        coalesce(min(created_at), min(referenced_at)) as created_at

    from customer_sources
    group by stripe_customer_id

),

matches as (

    select
        foreign_id as stripe_customer_id,
        account_id,
        match_rule,
        match_confidence,
        review_reason

    from int_account_matches
    where foreign_type = 'customer'

),

-- Only billing documents name a customer that is not matched at all: it is an account of its own.
final as (

    select
        customers.stripe_customer_id,
        coalesce(matches.account_id, customers.stripe_customer_id) as account_id,
        coalesce(matches.match_rule, 'unmatched') as match_rule,
        coalesce(matches.match_confidence, cast(0 as decimal(3, 2))) as match_confidence,
        case
            when matches.stripe_customer_id is null then 'no_evidence'
            else matches.review_reason
        end as review_reason,
        customers.created_at

    from customers
    left join matches
        on customers.stripe_customer_id = matches.stripe_customer_id

)

select * from final
