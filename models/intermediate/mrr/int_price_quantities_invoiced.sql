with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

-- Stripe bills graduated tiers as a line per tier. A proration is a part of the price, and a line
-- of 0 is a trial.
full_periods as (

    select
        invoice_id,
        price_id,
        currency,
        cast(sum(quantity) as bigint) as quantity,
        max(product_id) as product_id,
        sum(amount_minor) as amount_minor,
        period_start_at,
        period_end_at,
        finalized_at

    from int_invoice_lines_netted
    where
        is_revenue
        and line_type = 'subscription'
        and price_id is not null
        and not is_proration
        and period_start_at < period_end_at
    group by
        invoice_id,
        subscription_item_id,
        price_id,
        currency,
        period_start_at,
        period_end_at,
        finalized_at
    having
        sum(quantity) > 0
        and sum(amount_minor) > 0

),

ranked as (

    select
        price_id,
        currency,
        quantity,
        product_id,
        amount_minor,
        {{ dbt.datediff(
            'cast(period_start_at as date)', 'cast(period_end_at as date)', 'day'
        ) }} as period_days,
        row_number() over (
            partition by price_id, currency
            order by period_start_at desc, finalized_at desc, invoice_id asc, quantity asc
        ) as price_recency_number,
        row_number() over (
            partition by price_id, currency, quantity
            order by period_start_at desc, finalized_at desc, invoice_id asc, amount_minor asc
        ) as quantity_recency_number
    from full_periods

),

with_months as (

    select
        price_id,
        currency,
        quantity,
        product_id,
        amount_minor,
        period_days,
        cast(round({{ ratio('period_days * 12', '365.25') }}) as integer) as period_months,
        price_recency_number = 1 as is_latest_of_price
    from ranked
    where quantity_recency_number = 1

),

final as (

    select
        price_id,
        currency,
        quantity,
        product_id,
        cast(amount_minor as decimal(38, 12)) as amount_minor,
        cast({{ ratio('amount_minor', 'quantity') }} as decimal(38, 12)) as unit_amount_decimal,
        case
            when period_days >= 28 and period_months % 12 = 0 then 'year'
            when period_days >= 28 then 'month'
            when period_days % 7 = 0 then 'week'
            else 'day'
        end as recurring_interval,
        cast(
            case
                when period_days >= 28 and period_months % 12 = 0
                    then round({{ ratio('period_months', '12') }})
                when period_days >= 28 then period_months
                when period_days % 7 = 0 then round({{ ratio('period_days', '7') }})
                else period_days
            end as integer
        ) as interval_count,
        is_latest_of_price

    from with_months

)

select * from final
