-- What moved the Stripe balance each month, in each currency?
with

fct_stripe_balance_daily as (

    select * from {{ ref('fct_stripe_balance_daily') }}

),

final as (

    select
        {{ month_start('balance_date') }} as balance_month,
        currency,
        sum(sales) as sales_amount,
        sum(refunds) as refunds_amount,
        sum(disputes) as disputes_amount,
        -sum(fees) as fees_amount,
        sum(payouts) as payouts_amount,
        sum(adjustments + other) as other_amount,
        max_by(closing_balance_amount, balance_date) as closing_balance_amount

    from fct_stripe_balance_daily
    group by
        {{ month_start('balance_date') }},
        currency

)

select * from final
order by
    balance_month desc,
    currency asc
