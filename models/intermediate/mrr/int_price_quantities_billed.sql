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
        case
            when price_quantities.subscription_currency != int_subscription_prices.currency
                then json_extract(
                        int_subscription_prices.currency_options,
                        '$.' || lower(price_quantities.subscription_currency)
                    )
        end as currency_option

    from price_quantities
    left join int_subscription_prices
        on price_quantities.price_id = int_subscription_prices.price_id

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
                then cast(
                        coalesce(
                            {{ json_string('currency_option', 'unit_amount_decimal') }},
                            {{ json_string('currency_option', 'unit_amount') }}
                        ) as decimal(38, 12)
                    )
            else unit_amount_decimal
        end as unit_amount_decimal,
        case
            when currency_option is not null then {{ json_value('currency_option', 'tiers') }}
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
            when {{ json_string('transform_quantity', 'round') }} = 'up'
                then cast(
                        ceil({{ ratio(
                            'licensed_quantity', json_string('transform_quantity', 'divide_by')
                        ) }})
                        as bigint
                    )
            else cast(
                    floor({{ ratio(
                        'licensed_quantity', json_string('transform_quantity', 'divide_by')
                    ) }})
                    as bigint
                )
        end as billed_quantity

    from priced_in_currency

)

select * from final
