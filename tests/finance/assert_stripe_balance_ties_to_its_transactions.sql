-- Proves that the closing balance of each currency is the sum of everything that Stripe reports as
-- net. Stripe's own net is compared, not amount less fee, and the staged transactions are summed
-- without any join, so that neither a lost nor a doubled row can go unseen.
with

fct_stripe_balance_daily as (

    select * from {{ ref('fct_stripe_balance_daily') }}

),

stg_stripe__balance_transactions as (

    select * from {{ ref('stg_stripe__balance_transactions') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

staged as (

    select
        currency,
        sum(coalesce(net_minor, amount_minor - fee_minor)) as net_minor

    from stg_stripe__balance_transactions
    where not is_deleted
    group by currency

),

closing as (

    select
        currency,
        closing_balance_amount

    from fct_stripe_balance_daily
    qualify row_number() over (partition by currency order by balance_date desc) = 1

),

final as (

    select
        staged.currency,
        closing.closing_balance_amount,
        {{ minor_to_major('staged.net_minor', 'currencies.stripe_minor_unit_exponent') }}
            as staged_amount

    from staged
    inner join currencies
        on staged.currency = currencies.currency
    left join closing
        on staged.currency = closing.currency

)

select * from final
where closing_balance_amount is distinct from staged_amount
