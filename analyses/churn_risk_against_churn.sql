-- Do accounts that churn in the next month have a higher churn risk score than those that stay? By
-- score: the share that churned, and in `auc` the probability that a churned account scored higher
-- than one that stayed (0.5 is chance).
with

fct_account_health as (

    select * from {{ ref('fct_account_health') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

outcomes as (

    select
        fct_account_health.churn_risk_score,
        least(
            cast(floor({{ ratio('fct_account_health.churn_risk_score', 10) }}) as integer), 9
        ) * 10 as from_score,
        fct_account_health.closing_mrr_usd,
        fct_mrr_monthly.movement_type = 'churn' as is_churned

    from fct_account_health
    inner join fct_mrr_monthly
        on
            fct_account_health.account_id = fct_mrr_monthly.account_id
            and {{ dbt.dateadd('month', 1, 'fct_account_health.health_month') }}
            = fct_mrr_monthly.mrr_month
    where fct_account_health.is_paying and fct_mrr_monthly.is_month_closed

),

-- The rank of a score among all scores; equal scores get their mean rank.
ranked as (

    select
        is_churned,
        churn_risk_score,
        rank() over (order by churn_risk_score)
        + (count(*) over (partition by churn_risk_score) - 1) * 0.5 as score_rank

    from outcomes

),

compared as (

    select
        avg(churn_risk_score) filter (where is_churned) as average_score_of_churned,
        avg(churn_risk_score) filter (where not is_churned) as average_score_of_kept,
        sum(score_rank) filter (where is_churned) as rank_sum_of_churned,
        count(*) filter (where is_churned) as churned_count,
        count(*) filter (where not is_churned) as kept_count

    from ranked

),

bands as (

    select
        from_score,
        count(*) as account_month_count,
        count(*) filter (where is_churned) as churned_count,
        {{ ratio('count(*) filter (where is_churned)', 'count(*)') }} as churn_rate,
        sum(closing_mrr_usd) filter (where is_churned) as churned_mrr_usd

    from outcomes
    group by from_score

),

final as (

    select
        bands.from_score,
        bands.account_month_count,
        bands.churned_count,
        bands.churn_rate,
        bands.churned_mrr_usd,
        compared.average_score_of_churned,
        compared.average_score_of_kept,
        {{ ratio(
            '(compared.rank_sum_of_churned'
            ~ ' - compared.churned_count * (compared.churned_count + 1) * 0.5)',
            'compared.churned_count * compared.kept_count'
        ) }} as auc

    from bands
    cross join compared

)

select * from final
order by from_score
