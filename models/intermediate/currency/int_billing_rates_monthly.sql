with

int_invoice_balances_monthly as (

    select * from {{ ref('int_invoice_balances_monthly') }}

),

int_invoices_totaled as (

    select * from {{ ref('int_invoices_totaled') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

stg_stripe__credit_notes as (

    select * from {{ ref('stg_stripe__credit_notes') }}

),

stg_stripe__disputes as (

    select * from {{ ref('stg_stripe__disputes') }}

),

stg_stripe__refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

amounts as (

    select
        currency,
        coalesce(finalized_at, created_at) as valued_at,
        subtotal_minor != 0 or total_minor != 0 or line_amount_minor != 0 as has_amount
    from int_invoices_totaled

    union all

    select
        currency,
        balance_month as valued_at,
        true as has_amount
    from int_invoice_balances_monthly

    union all

    select
        currency,
        coalesce(effective_at, created_at) as valued_at,
        amount_minor != 0 as has_amount
    from stg_stripe__credit_notes

    union all

    select
        currency,
        created_at as valued_at,
        amount_minor != 0 as has_amount
    from int_payments_linked

    union all

    select
        settlement_currency as currency,
        created_at as valued_at,
        settled_minor != 0 as has_amount
    from int_payments_linked
    where settlement_currency is not null

    union all

    select
        currency,
        created_at as valued_at,
        amount_minor != 0 as has_amount
    from stg_stripe__refunds

    union all

    select
        currency,
        created_at as valued_at,
        amount_minor != 0 as has_amount
    from stg_stripe__disputes

),

needed as (

    select
        currency,
        {{ month_start('valued_at') }} as rate_month,
        bool_or(has_amount) as has_amount

    from amounts
    group by
        currency,
        {{ month_start('valued_at') }}

),

final as (

    select
        needed.currency,
        needed.rate_month,
        case
            when currencies.currency is not null then currencies.stripe_minor_unit_exponent
            else {{ raise_error(
                "'No currency ' || needed.currency || ': add it to the seed currencies'"
            ) }}
        end as stripe_minor_unit_exponent,
        -- Nothing to value is a month of invoices over 0.
        cast(
            coalesce(
                {{ required_rate(
                    'int_usd_rates_monthly.usd_per_unit', 'needed.currency',
                    'needed.rate_month', 'needed.has_amount'
                ) }}, 0
            ) as decimal(20, 10)
        ) as usd_per_unit

    from needed
    left join currencies
        on needed.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            needed.currency = int_usd_rates_monthly.currency
            and needed.rate_month = int_usd_rates_monthly.rate_month

)

select * from final
