with

currencies as (

    select * from {{ ref('currencies') }}

),

exchange_rates as (

    select * from {{ ref('exchange_rates') }}

),

last_rates as (

    select
        currency,
        rate_month,
        usd_per_unit

    from exchange_rates
    qualify row_number() over (partition by currency order by rate_month desc) = 1

),

final as (

    select
        currencies.currency,
        currencies.currency_name,
        currencies.stripe_minor_unit_exponent as minor_unit_exponent,
        last_rates.currency is not null as has_exchange_rate,
        last_rates.rate_month as last_rate_month,
        last_rates.usd_per_unit as last_usd_per_unit

    from currencies
    left join last_rates
        on currencies.currency = last_rates.currency

)

select * from final
