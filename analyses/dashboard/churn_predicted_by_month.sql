-- How many accounts were predicted to churn within three months of each month, and how many did?
with

fct_churn_predictions as (

    select * from {{ ref('fct_churn_predictions') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        predictions.prediction_month,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        sum(predictions.churn_probability) as predicted_count,
        count(*) filter (where predictions.outcome = 'churned') as churned_count

    from fct_churn_predictions as predictions
    left join dim_accounts
        on predictions.account_id = dim_accounts.account_id
    where predictions.outcome != 'unknown'
    group by all

)

select * from final
order by
    prediction_month,
    segment,
    region
