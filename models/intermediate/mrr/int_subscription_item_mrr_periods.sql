with

int_price_quantities_listed as (

    select * from {{ ref('int_price_quantities_listed') }}

),

int_subscription_mrr_periods as (

    select * from {{ ref('int_subscription_mrr_periods') }}

),

int_subscription_version_items as (

    select * from {{ ref('int_subscription_version_items') }}

),

tax_rate_rows as (

    select
        version_id,
        subscription_item_id,
        {{ explode(json_array('tax_rates')) }} as tax_rate
    from int_subscription_version_items

),

inclusive_tax_rates as (

    select
        version_id,
        subscription_item_id,
        sum(cast({{ json_string('tax_rate', 'percentage') }} as decimal(9, 6))) as percentage

    from tax_rate_rows
    where cast({{ json_string('tax_rate', 'inclusive') }} as boolean)
    group by
        version_id,
        subscription_item_id

),

final as (

    select
        int_subscription_mrr_periods.mrr_period_id,
        int_subscription_mrr_periods.subscription_id,
        int_subscription_mrr_periods.stripe_customer_id,
        int_subscription_mrr_periods.valid_from_at,
        int_subscription_mrr_periods.valid_to_at,
        int_subscription_mrr_periods.subscription_status,
        int_subscription_mrr_periods.is_cancel_scheduled
        and int_subscription_version_items.is_present as is_cancel_scheduled,
        int_subscription_version_items.version_id,
        int_subscription_version_items.subscription_item_id,
        int_subscription_version_items.price_id,
        int_subscription_version_items.quantity,
        int_price_quantities_listed.product_id,
        int_price_quantities_listed.currency,
        int_price_quantities_listed.stripe_minor_unit_exponent,
        int_price_quantities_listed.month_numerator,
        int_price_quantities_listed.month_denominator,
        int_price_quantities_listed.gross_list_mrr,
        cast(
            100 / (100 + coalesce(inclusive_tax_rates.percentage, 0)) as decimal(18, 12)
        ) as net_of_tax_factor,
        coalesce(int_price_quantities_listed.tax_behavior = 'inclusive', false)
        and inclusive_tax_rates.percentage is null as is_tax_rate_missing,
        case
            when
                int_subscription_mrr_periods.status_exclusion_reason
                in ('canceled', 'incomplete_expired')
                then int_subscription_mrr_periods.status_exclusion_reason
            when not int_subscription_version_items.is_present then 'canceled'
            when int_subscription_mrr_periods.status_exclusion_reason is not null
                then int_subscription_mrr_periods.status_exclusion_reason
            else int_price_quantities_listed.price_exclusion_reason
        end as mrr_exclusion_reason

    from int_subscription_mrr_periods
    inner join int_subscription_version_items
        on int_subscription_mrr_periods.version_id = int_subscription_version_items.version_id
    left join int_price_quantities_listed
        on
            int_subscription_version_items.price_id = int_price_quantities_listed.price_id
            and int_subscription_version_items.subscription_currency
            is not distinct from int_price_quantities_listed.subscription_currency
            and int_subscription_version_items.quantity
            is not distinct from int_price_quantities_listed.quantity
    left join inclusive_tax_rates
        on
            int_subscription_version_items.version_id = inclusive_tax_rates.version_id
            and int_subscription_version_items.subscription_item_id
            = inclusive_tax_rates.subscription_item_id

)

select * from final
