with

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

exchange_rates as (

    select * from {{ ref('exchange_rates') }}

),

latest_rates as (

    select
        currency,
        arg_max(usd_per_unit, rate_month) as usd_per_unit
    from exchange_rates
    group by currency

),

-- The rate is that of the last month the interval has reached, so that what holds at the as-of
-- instant adds up to the closing figure of its month.
with_months as (

    select
        int_subscription_item_mrr.*,
        int_as_of.as_of_at,
        {{ month_start(
            'least(int_subscription_item_mrr.valid_to_at - interval 1 microsecond,'
            ' int_as_of.as_of_at)'
        ) }} as rate_month

    from int_subscription_item_mrr
    cross join int_as_of

),

with_rates as (

    select
        with_months.*,
        {{ usd_per_unit(
            'with_months.currency', 'with_months.rate_month', 'exchange_rates.usd_per_unit',
            'latest_rates.usd_per_unit',
            dbt.dateadd('month', 1, 'with_months.rate_month')
            ~ ' <= with_months.as_of_at + interval 1 microsecond',
            'with_months.list_mrr != 0'
        ) }} as usd_per_unit

    from with_months
    left join exchange_rates
        on
            with_months.currency = exchange_rates.currency
            and with_months.rate_month = exchange_rates.rate_month
    left join latest_rates
        on with_months.currency = latest_rates.currency

),

final as (

    select
        subscription_item_id,
        subscription_id,
        stripe_customer_id,
        account_id,
        price_id,
        product_id,
        currency,
        quantity,
        subscription_status,
        valid_from_at,
        valid_to_at,
        list_mrr,
        mrr,
        discount_mrr,
        cast(case when list_mrr = 0 then 0 else list_mrr * usd_per_unit end as decimal(28, 6))
            as list_mrr_usd,
        cast(case when mrr = 0 then 0 else mrr * usd_per_unit end as decimal(28, 6)) as mrr_usd,
        mrr_exclusion_reason,
        is_cancel_scheduled,
        has_unresolved_discount,
        is_tax_rate_missing,
        is_current

    from with_rates

)

select * from final
