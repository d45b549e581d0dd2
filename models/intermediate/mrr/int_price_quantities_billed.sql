with

int_subscription_prices as (

    select * from {{ ref('int_subscription_prices') }}

),

int_subscription_version_items as (

    select * from {{ ref('int_subscription_version_items') }}

),

price_quantities as (

    select distinct
        price_id,
        subscription_currency,
        quantity
    from int_subscription_version_items

),

currency_options as (

    select
        price_id,
        currency as price_currency,
        {{ explode('currency_options') }} as currency_option
    from int_subscription_prices

),

other_currencies as (

    select
        price_id,
        currency_option,
        currency_option.currency
    from currency_options
    where currency_option.currency != price_currency

),

-- A price in several currencies has the others as options; a subscription uses one.
priced_in_currency as (

    select
        price_quantities.price_id,
        price_quantities.subscription_currency,
        price_quantities.quantity,
        coalesce(price_quantities.quantity, 1) as licensed_quantity,
        int_subscription_prices.product_id,
        int_subscription_prices.currency as price_currency,
        int_subscription_prices.price_type,
        int_subscription_prices.billing_scheme,
        int_subscription_prices.unit_amount_decimal,
        int_subscription_prices.tiers,
        int_subscription_prices.tiers_mode,
        int_subscription_prices.transform_quantity,
        int_subscription_prices.recurring_interval,
        coalesce(int_subscription_prices.recurring_interval_count, 1) as interval_count,
        int_subscription_prices.usage_type,
        int_subscription_prices.tax_behavior,
        other_currencies.currency_option

    from price_quantities
    left join int_subscription_prices
        on price_quantities.price_id = int_subscription_prices.price_id
    left join other_currencies
        on
            price_quantities.price_id = other_currencies.price_id
            and price_quantities.subscription_currency = other_currencies.currency

),

final as (

    select
        price_id,
        subscription_currency,
        quantity,
        licensed_quantity,
        product_id,
        case
            when currency_option is not null then subscription_currency
            else coalesce(price_currency, subscription_currency)
        end as currency,
        price_type,
        billing_scheme,
        case
            when currency_option is not null
                then currency_option.unit_amount_decimal
            else unit_amount_decimal
        end as unit_amount_decimal,
        case
            when currency_option is not null then currency_option.tiers
            else tiers
        end as tiers,
        tiers_mode,
        recurring_interval,
        interval_count,
        usage_type,
        tax_behavior,
        -- A package price is per lot of units.
        case
            when transform_quantity is null then licensed_quantity
            when transform_quantity.round = 'up'
                then cast(
                        ceil({{ ratio('licensed_quantity', 'transform_quantity.divide_by') }})
                        as bigint
                    )
            else cast(
                    floor({{ ratio('licensed_quantity', 'transform_quantity.divide_by') }})
                    as bigint
                )
        end as billed_quantity

    from priced_in_currency

)

select * from final
