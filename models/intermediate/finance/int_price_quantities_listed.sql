with

currencies as (

    select * from {{ ref('currencies') }}

),

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

-- A price in several currencies carries the others as options; a subscription has only one.
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

billed as (

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
        -- A package price sells quantities in lots.
        case
            when transform_quantity is null then licensed_quantity
            when {{ json_string('transform_quantity', 'round') }} = 'up'
                then cast(
                    ceil(licensed_quantity / cast({{ json_string('transform_quantity', 'divide_by') }} as bigint))
                    as bigint
                )
            else licensed_quantity // cast({{ json_string('transform_quantity', 'divide_by') }} as bigint)
        end as billed_quantity

    from priced_in_currency

),

tier_rows as (

    select
        price_id,
        subscription_currency,
        quantity,
        licensed_quantity,
        tiers_mode,
        {{ explode_with_position(json_array('tiers')) }} as tier
    from billed
    where billing_scheme = 'tiered'

),

tier_bounds as (

    select
        price_id,
        subscription_currency,
        quantity,
        licensed_quantity,
        tiers_mode,
        coalesce(
            try_cast(
                lag({{ json_string('tier.value', 'up_to') }}) over (
                    partition by price_id, subscription_currency, quantity order by tier.position
                ) as bigint
            ),
            0
        ) as above_quantity,
        try_cast({{ json_string('tier.value', 'up_to') }} as bigint) as up_to_quantity,
        cast(
            coalesce(
                {{ json_string('tier.value', 'unit_amount_decimal') }},
                {{ json_string('tier.value', 'unit_amount') }},
                {{ json_string('tier.value', 'amount') }},
                '0'
            ) as decimal(38, 12)
        ) as unit_amount_decimal,
        cast(
            coalesce(
                {{ json_string('tier.value', 'flat_amount_decimal') }},
                {{ json_string('tier.value', 'flat_amount') }},
                '0'
            ) as decimal(38, 12)
        ) as flat_amount_decimal

    from tier_rows

),

-- Graduated: each tier prices its own units. Volume: the tier that the quantity ends in prices all.
tiered_amounts as (

    select
        price_id,
        subscription_currency,
        quantity,
        cast(
            sum(
                case
                    when tiers_mode = 'graduated'
                        then (least(quantity, coalesce(up_to_quantity, quantity)) - above_quantity)
                            * unit_amount_decimal + flat_amount_decimal
                    else quantity * unit_amount_decimal + flat_amount_decimal
                end
            ) as decimal(38, 12)
        ) as period_amount_minor

    from tier_bounds
    where
        quantity > above_quantity
        and (
            tiers_mode = 'graduated'
            or up_to_quantity is null
            or quantity <= up_to_quantity
        )
    group by
        price_id,
        subscription_currency,
        quantity

),

amounts as (

    select
        billed.*,
        case
            when billed.billing_scheme = 'tiered' then tiered_amounts.period_amount_minor
            else cast(billed.billed_quantity * billed.unit_amount_decimal as decimal(38, 12))
        end as period_amount_minor,
        -- What one period's amount is worth a month: 365 days and 52 weeks a year.
        case billed.recurring_interval
            when 'day' then 365
            when 'week' then 52
            else 1
        end as month_numerator,
        case billed.recurring_interval
            when 'month' then 1
            else 12
        end * billed.interval_count as month_denominator

    from billed
    left join tiered_amounts
        on
            billed.price_id = tiered_amounts.price_id
            and billed.subscription_currency = tiered_amounts.subscription_currency
            and billed.quantity is not distinct from tiered_amounts.quantity

),

final as (

    select
        amounts.price_id,
        amounts.subscription_currency,
        amounts.quantity,
        amounts.product_id,
        amounts.currency,
        amounts.tax_behavior,
        currencies.stripe_minor_unit_exponent,
        amounts.month_numerator,
        amounts.month_denominator,
        cast(
            amounts.period_amount_minor * amounts.month_numerator
            / (amounts.month_denominator * pow(10, currencies.stripe_minor_unit_exponent))
            as decimal(38, 12)
        ) as gross_list_mrr,
        case
            when amounts.usage_type = 'metered' then 'metered'
            when amounts.price_type = 'one_time' then 'one_time'
            when amounts.quantity = 0 then 'zero_quantity'
            when
                amounts.billing_scheme = 'tiered'
                and json_array_length(amounts.tiers) is null
                then 'tiers_missing'
            when amounts.period_amount_minor is null then 'price_missing'
            when amounts.period_amount_minor = 0 then 'zero_price'
        end as price_exclusion_reason

    from amounts
    left join currencies
        on amounts.currency = currencies.currency

)

select * from final
