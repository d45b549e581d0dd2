with

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

-- The rate is that of the last month the interval has reached, so that what holds at the as-of
-- instant adds up to the closing figure of its month.
with_months as (

    select
        int_subscription_item_mrr.*,
        {{ month_start(
            'least(int_subscription_item_mrr.valid_to_at - interval 1 microsecond,'
            ' int_as_of.as_of_at)'
        ) }} as rate_month

    from int_subscription_item_mrr
    cross join int_as_of

),

final as (

    select
        with_months.subscription_item_id,
        with_months.subscription_id,
        with_months.stripe_customer_id,
        with_months.account_id,
        with_months.price_id,
        with_months.product_id,
        with_months.currency,
        with_months.quantity,
        with_months.subscription_status,
        with_months.valid_from_at,
        with_months.valid_to_at,
        with_months.list_mrr,
        with_months.mrr,
        with_months.discount_mrr,
        {{ to_usd(
            'with_months.list_mrr', 'int_usd_rates_monthly.usd_per_unit',
            'with_months.currency', 'with_months.rate_month'
        ) }} as list_mrr_usd,
        {{ to_usd(
            'with_months.mrr', 'int_usd_rates_monthly.usd_per_unit',
            'with_months.currency', 'with_months.rate_month'
        ) }} as mrr_usd,
        with_months.mrr_exclusion_reason,
        with_months.is_cancel_scheduled,
        with_months.has_unresolved_discount,
        with_months.is_tax_rate_missing,
        with_months.is_current

    from with_months
    left join int_usd_rates_monthly
        on
            with_months.currency = int_usd_rates_monthly.currency
            and with_months.rate_month = int_usd_rates_monthly.rate_month

)

select * from final
