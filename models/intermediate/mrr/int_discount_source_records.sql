with

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

stg_stripe__customer_events as (

    select * from {{ ref('stg_stripe__customer_events') }}

),

stg_stripe__customer_extracts as (

    select * from {{ ref('stg_stripe__customer_extracts') }}

),

stg_stripe__discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}

),

stg_stripe__discounts as (

    select * from {{ ref('stg_stripe__discounts') }}

),

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

subscription_discounts as (

    select
        observed_at,
        {{ explode('discounts') }} as discount
    from int_subscription_source_records

),

subscription_items as (

    select
        observed_at,
        {{ explode('items') }} as item
    from int_subscription_source_records

),

item_discounts as (

    select
        observed_at,
        {{ explode('item.discounts') }} as discount
    from subscription_items

),

invoice_discounts as (

    select
        created_at as observed_at,
        {{ explode('discounts') }} as discount
    from stg_stripe__invoices

),

-- Every place that may have the whole discount: events, and extracts in which it is expanded.
discounts as (

    select
        occurred_at as observed_at,
        discount
    from stg_stripe__discount_events

    union all

    select
        occurred_at as observed_at,
        discount
    from stg_stripe__customer_events

    union all

    select
        occurred_at as observed_at,
        previous_discount as discount
    from stg_stripe__customer_events

    union all

    select
        extracted_at as observed_at,
        discount
    from stg_stripe__customer_extracts
    where not is_test_mode

    union all

    select
        observed_at,
        discount
    from subscription_discounts

    union all

    select
        observed_at,
        discount
    from item_discounts

    union all

    select
        observed_at,
        discount
    from invoice_discounts

    union all

    select
        _extracted_at as observed_at,
        discount
    from stg_stripe__discounts

),

distinct_discounts as (

    select
        discount,
        max(observed_at) as observed_at

    from discounts
    where
        discount.discount_id is not null
        -- A bare id has neither.
        and coalesce(discount.coupon_id, cast(discount.start_at as string)) is not null
    group by discount

),

final as (

    select
        observed_at,
        discount.discount_id,
        discount.coupon_id,
        discount.coupon.percent_off,
        discount.coupon.amount_off_minor,
        discount.coupon.currency as coupon_currency,
        discount.coupon.currency_options,
        discount.coupon.duration,
        discount.coupon.duration_in_months,
        discount.coupon.product_ids,
        discount.start_at,
        discount.end_at,
        discount.stripe_customer_id,
        discount.subscription_id,
        discount.subscription_item_id,
        discount.invoice_id,
        discount.promotion_code_id

    from distinct_discounts

)

select * from final
