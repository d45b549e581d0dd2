-- How well did the churn model, the hand-weighted score and days without use predict churn?
with

fct_churn_backtest as (

    select * from {{ ref('fct_churn_backtest') }}

),

final as (

    select
        case score_name
            when 'model' then 'Churn model'
            when 'hand_score' then 'Churn risk score'
            else 'Days without use'
        end as score,
        score_name,
        concat('Fifth ', cast(fifth_number as string)) as fifth,
        fifth_number,
        account_month_count,
        churned_count,
        mean_probability as predicted_rate,
        churn_rate,
        auc as auc_rate,
        pr_auc as pr_auc_rate,
        lift_at_tenth as lift_ratio

    from fct_churn_backtest
    where account_scope = 'all'

)

select * from final
order by
    score_name desc,
    fifth_number asc
