-- What was forecast for each month as it began, and what was won?
with

fct_sales_forecast_monthly as (

    select * from {{ ref('fct_sales_forecast_monthly') }}

),

final as (

    select
        forecast_month,
        forecast_usd,
        expected_usd,
        won_usd,
        lost_usd,
        slipped_usd

    from fct_sales_forecast_monthly
    where forecast_category = 'total' and is_month_closed

)

select * from final
order by forecast_month
