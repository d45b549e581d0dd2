with

int_subscription_prices as (

    select * from {{ ref('int_subscription_prices') }}

),

int_subscription_version_items as (

    select * from {{ ref('int_subscription_version_items') }}

),

stg_stripe__catalog_events as (

    select * from {{ ref('stg_stripe__catalog_events') }}

),

stg_stripe__plans as (

    select * from {{ ref('stg_stripe__plans') }}

),

stg_stripe__prices as (

    select * from {{ ref('stg_stripe__prices') }}

),

stg_stripe__products as (

    select * from {{ ref('stg_stripe__products') }}

),

-- Includes prices whose object is unknown because only their id appears.
known_prices as (

    select price_id
    from int_subscription_prices

    union distinct

    select price_id
    from int_subscription_version_items
    where price_id is not null

),

price_labels as (

    select
        price_id,
        nickname,
        is_active,
        created_at,
        1 as preference_number
    from stg_stripe__prices
    where not is_deleted

    union all

    select
        price_id,
        nickname,
        is_active,
        created_at,
        2 as preference_number
    from stg_stripe__plans
    where not is_deleted

),

preferred_labels as (

    select
        price_id,
        nickname,
        is_active,
        created_at
    from price_labels
    qualify row_number() over (partition by price_id order by preference_number) = 1

),

product_names as (

    select
        product_id,
        product_name,
        _extracted_at as observed_at
    from stg_stripe__products
    where not is_deleted

    union all

    select
        product_id,
        product_name,
        occurred_at as observed_at
    from stg_stripe__catalog_events

),

latest_product_names as (

    select
        product_id,
        product_name
    from product_names
    where product_name is not null
    qualify
        row_number() over (
            partition by product_id order by observed_at desc, product_name desc
        ) = 1

),

final as (

    select
        known_prices.price_id,
        preferred_labels.nickname,
        int_subscription_prices.product_id,
        latest_product_names.product_name,
        int_subscription_prices.currency,
        int_subscription_prices.price_type,
        int_subscription_prices.billing_scheme,
        int_subscription_prices.tiers_mode,
        int_subscription_prices.unit_amount_decimal,
        int_subscription_prices.recurring_interval,
        int_subscription_prices.recurring_interval_count,
        int_subscription_prices.usage_type,
        int_subscription_prices.tax_behavior,
        coalesce(preferred_labels.is_active, false) as is_active,
        preferred_labels.created_at

    from known_prices
    left join int_subscription_prices
        on known_prices.price_id = int_subscription_prices.price_id
    left join preferred_labels
        on known_prices.price_id = preferred_labels.price_id
    left join latest_product_names
        on int_subscription_prices.product_id = latest_product_names.product_id

)

select * from final
