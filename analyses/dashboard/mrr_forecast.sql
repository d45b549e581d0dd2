-- What will MRR be, how sure is that, and what is it made of?
with

fct_mrr_forecast as (

    select * from {{ ref('fct_mrr_forecast') }}

),

final as (

    select
        forecast_month,
        case when not is_latest or horizon_months = 0 then actual_mrr_usd end as actual_mrr_usd,
        case when is_latest then forecast_mrr_usd end as forecast_mrr_usd,
        case when is_latest then low_mrr_usd end as low_mrr_usd,
        case when is_latest then high_mrr_usd end as high_mrr_usd

    from fct_mrr_forecast
    where is_latest or horizon_months = 0

)

select * from final
order by forecast_month
