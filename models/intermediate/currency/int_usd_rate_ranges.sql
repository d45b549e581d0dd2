with

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

final as (

    select
        currency,
        min(rate_month) as first_rate_month,
        coalesce(max(rate_month) filter (where is_final), min(rate_month)) as last_rate_month
    from int_usd_rates_monthly
    group by currency

)

select * from final
