with

currencies as (

    select * from {{ ref('currencies') }}

),

int_price_quantities_billed as (

    select * from {{ ref('int_price_quantities_billed') }}

),

tier_rows as (

    select
        price_id,
        subscription_currency,
        quantity,
        licensed_quantity,
        tiers_mode,
        {{ explode('tiers', with_position=true) }} as tier
    from int_price_quantities_billed
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
            lag(tier.value.up_to_quantity) over (
                partition by price_id, subscription_currency, quantity order by tier.position
            ),
            0
        ) as above_quantity,
        tier.value.up_to_quantity,
        tier.value.unit_amount_decimal,
        tier.value.flat_amount_decimal

    from tier_rows

),

-- Graduated: each tier prices its own units. Volume: the tier of the quantity prices all units.
tiered_amounts as (

    select
        price_id,
        subscription_currency,
        quantity,
        cast(
            sum(
                case
                    when tiers_mode = 'graduated'
                        then (
                            least(licensed_quantity, coalesce(up_to_quantity, licensed_quantity))
                            - above_quantity
                        ) * unit_amount_decimal + flat_amount_decimal
                    else licensed_quantity * unit_amount_decimal + flat_amount_decimal
                end
            ) as decimal(38, 12)
        ) as period_amount_minor

    from tier_bounds
    where
        licensed_quantity > above_quantity
        and (
            tiers_mode = 'graduated'
            or up_to_quantity is null
            or licensed_quantity <= up_to_quantity
        )
    group by
        price_id,
        subscription_currency,
        quantity

),

amounts as (

    select
        int_price_quantities_billed.price_id,
        int_price_quantities_billed.subscription_currency,
        int_price_quantities_billed.quantity,
        int_price_quantities_billed.product_id,
        int_price_quantities_billed.currency,
        int_price_quantities_billed.tax_behavior,
        int_price_quantities_billed.usage_type,
        int_price_quantities_billed.price_type,
        int_price_quantities_billed.billing_scheme,
        int_price_quantities_billed.tiers,
        int_price_quantities_billed.invoiced_amount_minor,
        case
            when
                coalesce(int_price_quantities_billed.recurring_interval, '')
                not in ('day', 'week', 'month', 'year')
                then null
            when int_price_quantities_billed.invoiced_amount_minor is not null
                then int_price_quantities_billed.invoiced_amount_minor
            when int_price_quantities_billed.billing_scheme = 'tiered'
                then tiered_amounts.period_amount_minor
            else cast(
                    int_price_quantities_billed.billed_quantity
                    * int_price_quantities_billed.unit_amount_decimal as decimal(38, 12)
                )
        end as period_amount_minor,
        -- Converts a period's amount to a month: 365 days and 52 weeks a year.
        case int_price_quantities_billed.recurring_interval
            when 'day' then 365
            when 'week' then 52
            else 1
        end as month_numerator,
        case int_price_quantities_billed.recurring_interval
            when 'month' then 1
            else 12
        end * int_price_quantities_billed.interval_count as month_denominator

    from int_price_quantities_billed
    left join tiered_amounts
        on
            int_price_quantities_billed.price_id = tiered_amounts.price_id
            and int_price_quantities_billed.subscription_currency
            is not distinct from tiered_amounts.subscription_currency
            and int_price_quantities_billed.quantity is not distinct from tiered_amounts.quantity

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
            {{ ratio(
                'amounts.period_amount_minor * amounts.month_numerator',
                'amounts.month_denominator * pow(10, currencies.stripe_minor_unit_exponent)'
            ) }} as decimal(38, 12)
        ) as gross_list_mrr,
        case
            when amounts.usage_type = 'metered' then 'metered'
            when amounts.price_type = 'one_time' then 'one_time'
            when amounts.quantity = 0 then 'zero_quantity'
            when
                amounts.billing_scheme = 'tiered'
                and amounts.tiers is null
                and amounts.invoiced_amount_minor is null
                then 'tiers_missing'
            when amounts.period_amount_minor is null then 'price_missing'
            when amounts.period_amount_minor = 0 then 'zero_price'
        end as price_exclusion_reason,
        amounts.invoiced_amount_minor is not null as is_price_from_invoice

    from amounts
    left join currencies
        on amounts.currency = currencies.currency

)

select * from final
