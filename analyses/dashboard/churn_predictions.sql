-- Which accounts are most likely to churn within three months, and what raises their probability?
with

fct_churn_predictions as (

    select * from {{ ref('fct_churn_predictions') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        predictions.account_id,
        dim_accounts.account_name,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        case
            when predictions.account_group = 'ending' then 'Already cancelled'
            when predictions.churn_probability >= 0.2 then 'High, from 20 %'
            when predictions.churn_probability >= 0.1 then 'Watch, 10 to 20 %'
            else 'Low, under 10 %'
        end as probability_band,
        predictions.account_group,
        predictions.closing_mrr_usd,
        predictions.expected_loss_usd,
        predictions.churn_probability as churn_rate,
        predictions.low_probability as low_rate,
        predictions.high_probability as high_rate,
        1 as account_count,
        concat_ws(
            ' · ', predictions.first_driver, predictions.second_driver, predictions.third_driver
        ) as drivers

    from fct_churn_predictions as predictions
    left join dim_accounts
        on predictions.account_id = dim_accounts.account_id
    where predictions.is_newest

)

select * from final
order by
    churn_rate desc,
    closing_mrr_usd desc,
    account_id asc
