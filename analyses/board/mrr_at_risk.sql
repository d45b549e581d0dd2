-- How much MRR is with accounts that are likely to leave, and what are the signs? The accounts
-- one by one are in `analyses/dashboard/accounts_at_risk.sql`.
with

fct_account_health as (

    select * from {{ ref('fct_account_health') }}

),

last_month as (

    select max(health_month) as health_month
    from fct_account_health
    where is_month_closed

),

final as (

    select
        case
            when fct_account_health.churn_risk_score >= 60 then '60 to 100, high'
            when fct_account_health.churn_risk_score >= 30 then '30 to 59, watch'
            else '0 to 29, low'
        end as churn_risk,
        count(*) as account_count,
        sum(fct_account_health.closing_mrr_usd) as mrr_usd,
        {{ ratio(
            'sum(fct_account_health.closing_mrr_usd)',
            'sum(sum(fct_account_health.closing_mrr_usd)) over ()'
        ) }} as mrr_share_rate,
        avg(fct_account_health.recency_risk_score) as average_recency_score,
        avg(fct_account_health.trend_risk_score) as average_trend_score,
        avg(fct_account_health.breadth_risk_score) as average_breadth_score,
        avg(fct_account_health.seat_use_risk_score) as average_seat_use_score,
        avg(fct_account_health.billing_risk_score) as average_billing_score

    from fct_account_health
    inner join last_month
        on fct_account_health.health_month = last_month.health_month
    where fct_account_health.is_paying
    group by churn_risk

)

select * from final
order by churn_risk desc
