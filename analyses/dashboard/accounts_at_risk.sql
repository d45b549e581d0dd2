-- Which paying accounts are most likely to leave, why, and how much would go with them?
with

fct_account_health as (

    select * from {{ ref('fct_account_health') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

last_month as (

    select max(health_month) as health_month
    from fct_account_health
    where is_month_closed

),

final as (

    select
        fct_account_health.account_id,
        dim_accounts.account_name,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        case
            when fct_account_health.churn_risk_score >= 60 then 'High, 60 to 100'
            when fct_account_health.churn_risk_score >= 30 then 'Watch, 30 to 59'
            else 'Low, 0 to 29'
        end as risk_band,
        concat_ws(
            ', ',
            case
                when not fct_account_health.has_users then 'no workspace linked'
                when fct_account_health.days_since_active is null then 'never used'
                when fct_account_health.recency_risk_score >= 10
                    then concat('idle for ', fct_account_health.days_since_active, ' days')
            end,
            case when fct_account_health.trend_risk_score >= 8 then 'usage falls' end,
            case when fct_account_health.breadth_risk_score >= 15 then 'few features' end,
            case when fct_account_health.seat_use_risk_score >= 5 then 'seats unused' end,
            case
                when fct_account_health.past_due_usd > 0 then 'past due'
                when fct_account_health.failed_payment_count > 0 then 'payment failed'
            end
        ) as reasons,
        fct_account_health.closing_mrr_usd,
        fct_account_health.churn_risk_score,
        fct_account_health.recency_risk_score,
        fct_account_health.trend_risk_score,
        fct_account_health.breadth_risk_score,
        fct_account_health.seat_use_risk_score,
        fct_account_health.billing_risk_score,
        fct_account_health.days_since_active,
        fct_account_health.paid_seat_count,
        fct_account_health.seat_use_rate,
        fct_account_health.past_due_usd,
        fct_account_health.has_workspace

    from fct_account_health
    inner join last_month
        on fct_account_health.health_month = last_month.health_month
    inner join dim_accounts
        on fct_account_health.account_id = dim_accounts.account_id
    where fct_account_health.is_paying

)

select * from final
order by
    churn_risk_score desc,
    closing_mrr_usd desc,
    account_id asc
