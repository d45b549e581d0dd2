{%- set rate_month = month_start(
    'least(intervals.valid_to_at - interval 1 microsecond, int_as_of.as_of_at)'
) -%}

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

-- The rate is that of the last month that the interval has reached, so that the intervals at the
-- as-of instant add up to the closing figure of its month.
final as (

    select
        intervals.subscription_item_id,
        intervals.subscription_id,
        intervals.stripe_customer_id,
        intervals.account_id,
        intervals.price_id,
        intervals.product_id,
        intervals.currency,
        intervals.quantity,
        intervals.subscription_status,
        intervals.valid_from_at,
        intervals.valid_to_at,
        intervals.list_mrr,
        intervals.mrr,
        intervals.discount_mrr,
        {{ to_usd(
            'intervals.list_mrr', 'int_usd_rates_monthly.usd_per_unit',
            'intervals.currency', rate_month
        ) }} as list_mrr_usd,
        {{ to_usd(
            'intervals.mrr', 'int_usd_rates_monthly.usd_per_unit',
            'intervals.currency', rate_month
        ) }} as mrr_usd,
        intervals.mrr_exclusion_reason,
        intervals.is_cancel_scheduled,
        intervals.has_unresolved_discount,
        intervals.is_tax_rate_missing,
        intervals.mrr_evidence,
        intervals.is_current

    from int_subscription_item_mrr as intervals
    cross join int_as_of
    left join int_usd_rates_monthly
        on
            intervals.currency = int_usd_rates_monthly.currency
            and {{ rate_month }} = int_usd_rates_monthly.rate_month

)

select * from final
