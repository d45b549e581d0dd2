with

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

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

stg_stripe__subscription_items as (

    select * from {{ ref('stg_stripe__subscription_items') }}

),

items as (

    select {{ explode('items') }} as item
    from int_subscription_source_records

),

price_objects as (

    select distinct
        item.price,
        2 as preference_number
    from items

    union all

    select distinct
        price,
        2 as preference_number
    from stg_stripe__subscription_items

    union all

    select
        price,
        3 as preference_number
    from stg_stripe__catalog_events

    union all

    select distinct
        item.plan as price,
        5 as preference_number
    from items

    union all

    select distinct
        plan as price,
        5 as preference_number
    from stg_stripe__subscription_items

),

price_versions as (

    select
        price_id,
        product_id,
        currency,
        currency_options,
        price_type,
        billing_scheme,
        unit_amount_decimal,
        tiers,
        tiers_mode,
        transform_quantity,
        recurring_interval,
        recurring_interval_count,
        usage_type,
        tax_behavior,
        1 as preference_number
    from stg_stripe__prices
    where not is_deleted

    union all

    select
        price_id,
        product_id,
        currency,
        null as currency_options,
        price_type,
        billing_scheme,
        unit_amount_decimal,
        tiers,
        tiers_mode,
        transform_quantity,
        recurring_interval,
        recurring_interval_count,
        usage_type,
        cast(null as string) as tax_behavior,
        4 as preference_number
    from stg_stripe__plans
    where not is_deleted

    union all

    select
        price.price_id,
        price.product_id,
        price.currency,
        price.currency_options,
        price.price_type,
        price.billing_scheme,
        price.unit_amount_decimal,
        price.tiers,
        price.tiers_mode,
        price.transform_quantity,
        price.recurring_interval,
        price.recurring_interval_count,
        price.usage_type,
        price.tax_behavior,
        preference_number
    from price_objects
    where price.price_id is not null

),

-- Amount and interval of a price never change, but not every copy has its tiers and currencies.
final as (

    select
        price_id,
        min_by(product_id, preference_number) filter (where product_id is not null)
            as product_id,
        min_by(currency, preference_number) filter (where currency is not null)
            as currency,
        min_by(currency_options, preference_number) filter (where currency_options is not null)
            as currency_options,
        min_by(price_type, preference_number) filter (where price_type is not null)
            as price_type,
        min_by(billing_scheme, preference_number) filter (where billing_scheme is not null)
            as billing_scheme,
        min_by(unit_amount_decimal, preference_number) filter (
            where unit_amount_decimal is not null
        ) as unit_amount_decimal,
        min_by(tiers, preference_number) filter (where tiers is not null)
            as tiers,
        min_by(tiers_mode, preference_number) filter (where tiers_mode is not null)
            as tiers_mode,
        min_by(transform_quantity, preference_number) filter (where transform_quantity is not null)
            as transform_quantity,
        min_by(recurring_interval, preference_number) filter (where recurring_interval is not null)
            as recurring_interval,
        min_by(recurring_interval_count, preference_number) filter (
            where recurring_interval_count is not null
        ) as recurring_interval_count,
        min_by(usage_type, preference_number) filter (where usage_type is not null)
            as usage_type,
        min_by(tax_behavior, preference_number) filter (where tax_behavior is not null)
            as tax_behavior

    from price_versions
    group by price_id

)

select * from final
