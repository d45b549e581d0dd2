with

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

stg_stripe__customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}

),

stg_stripe__discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}

),

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

changes as (

    select
        stripe_customer_id,
        occurred_at,
        _extracted_at as received_at,
        false as is_backdated

    from stg_stripe__customer_events

    union all

    select
        discount.stripe_customer_id,
        occurred_at,
        _extracted_at as received_at,
        false as is_backdated

    from stg_stripe__discount_events

    union all

    select
        stripe_customer_id,
        occurred_at,
        _extracted_at as received_at,
        false as is_backdated

    from stg_stripe__subscription_events

    union all

    -- A subscription created after its start date changes the months in between.
    select
        stripe_customer_id,
        start_at as occurred_at,
        extracted_at as received_at,
        true as is_backdated

    from stg_stripe__subscription_extracts
    where start_at < created_at

),

final as (

    select
        int_customer_accounts.account_id,
        changes.occurred_at,
        changes.received_at,
        changes.is_backdated

    from changes
    inner join int_customer_accounts
        on changes.stripe_customer_id = int_customer_accounts.stripe_customer_id

)

select * from final
