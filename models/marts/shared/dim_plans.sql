with

currencies as (

    select * from {{ ref('currencies') }}

),

int_prices_described as (

    select * from {{ ref('int_prices_described') }}

),

plan_catalog as (

    select * from {{ ref('plan_catalog') }}

),

-- A product that is not in the catalog is a plan family of its own.
final as (

    select
        int_prices_described.price_id,
        int_prices_described.nickname as price_name,
        int_prices_described.product_id,
        int_prices_described.product_name,
        coalesce(
            plan_catalog.plan_family,
            int_prices_described.product_name,
            int_prices_described.product_id,
            int_prices_described.price_id
        ) as plan_family,
        plan_catalog.plan_tier_number,
        int_prices_described.price_type,
        int_prices_described.usage_type,
        int_prices_described.billing_scheme,
        int_prices_described.tiers_mode,
        int_prices_described.tax_behavior,
        int_prices_described.recurring_interval,
        int_prices_described.recurring_interval_count,
        int_prices_described.currency,
        cast(
            {{ ratio(
                'int_prices_described.unit_amount_decimal',
                'pow(10, currencies.stripe_minor_unit_exponent)'
            ) }} as decimal(28, 12)
        ) as unit_amount,
        coalesce(plan_catalog.is_add_on, false) as is_add_on,
        plan_catalog.product_name is not null as is_in_catalog,
        int_prices_described.is_active,
        int_prices_described.created_at

    from int_prices_described
    left join plan_catalog
        on int_prices_described.product_name = plan_catalog.product_name
    left join currencies
        on int_prices_described.currency = currencies.currency

)

select * from final
