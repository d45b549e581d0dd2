with

int_price_quantities_invoiced as (

    select * from {{ ref('int_price_quantities_invoiced') }}

),

int_schedule_phase_items as (

    select * from {{ ref('int_schedule_phase_items') }}

),

int_subscription_prices as (

    select * from {{ ref('int_subscription_prices') }}

),

int_subscription_version_items as (

    select * from {{ ref('int_subscription_version_items') }}

),

price_quantities as (

    select
        price_id,
        subscription_currency,
        quantity
    from int_subscription_version_items

    union distinct

    select
        price_id,
        currency as subscription_currency,
        quantity
    from int_schedule_phase_items

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
        int_subscription_prices.recurring_interval_count as interval_count,
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

-- Stripe returns tiers and currency options only when asked to, and some exports name a price by
-- its id alone. The price's own amount is in its own currency.
priced as (

    select
        price_id,
        subscription_currency,
        quantity,
        licensed_quantity,
        product_id,
        coalesce(subscription_currency, price_currency) as currency,
        price_type,
        billing_scheme,
        case
            when currency_option is not null
                then currency_option.unit_amount_decimal
            when subscription_currency != price_currency then null
            else unit_amount_decimal
        end as unit_amount_decimal,
        case
            when currency_option is not null then currency_option.tiers
            when subscription_currency != price_currency then null
            else tiers
        end as tiers,
        tiers_mode,
        recurring_interval,
        interval_count,
        usage_type,
        tax_behavior,
        transform_quantity is not null as is_per_package,
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

),

final as (

    select
        priced.price_id,
        priced.subscription_currency,
        priced.quantity,
        priced.licensed_quantity,
        coalesce(priced.product_id, latest_invoiced.product_id) as product_id,
        priced.currency,
        priced.price_type,
        priced.billing_scheme,
        priced.unit_amount_decimal,
        priced.tiers,
        priced.tiers_mode,
        coalesce(priced.recurring_interval, latest_invoiced.recurring_interval)
            as recurring_interval,
        coalesce(
            priced.interval_count,
            case when priced.recurring_interval is null then latest_invoiced.interval_count end,
            1
        ) as interval_count,
        priced.usage_type,
        priced.tax_behavior,
        priced.billed_quantity,
        case
            when coalesce(priced.usage_type, 'licensed') = 'metered' then null
            when priced.unit_amount_decimal is not null or priced.tiers is not null then null
            when invoiced.price_id is not null then invoiced.amount_minor
            when priced.billing_scheme = 'per_unit' and not priced.is_per_package
                then cast(
                        priced.licensed_quantity * latest_invoiced.unit_amount_decimal
                        as decimal(38, 12)
                    )
        end as invoiced_amount_minor

    from priced
    left join int_price_quantities_invoiced as invoiced
        on
            priced.price_id = invoiced.price_id
            and priced.currency = invoiced.currency
            and priced.licensed_quantity = invoiced.quantity
    left join int_price_quantities_invoiced as latest_invoiced
        on
            priced.price_id = latest_invoiced.price_id
            and priced.currency = latest_invoiced.currency
            and latest_invoiced.is_latest_of_price

)

select * from final
