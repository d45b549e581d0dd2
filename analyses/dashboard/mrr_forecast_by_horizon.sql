-- How far off were past forecasts, and how far a naive one?
with

fct_mrr_forecast as (

    select * from {{ ref('fct_mrr_forecast') }}

),

final as (

    select
        horizon_months as months_ahead,
        count(*) as forecast_count,
        avg(abs({{ ratio('forecast_mrr_usd - actual_mrr_usd', 'actual_mrr_usd') }})) as error_rate,
        avg(abs({{ ratio('naive_mrr_usd - actual_mrr_usd', 'actual_mrr_usd') }}))
            as naive_error_rate,
        {{ ratio(
            'count(*) filter (where actual_mrr_usd between low_mrr_usd and high_mrr_usd)',
            'count(*)'
        ) }} as within_interval_rate

    from fct_mrr_forecast
    where horizon_months > 0 and actual_mrr_usd is not null
    group by horizon_months

)

select * from final
order by months_ahead
