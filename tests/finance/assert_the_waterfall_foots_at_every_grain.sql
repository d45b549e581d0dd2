-- Proves that the waterfalls by plan and by segment add up to the accounts' waterfall, month by
-- month and movement by movement, to the cent. A check row by row would miss an account in no
-- segment or in two, and a plan that is missing, because each row foots: `fx` is the remainder.
-- Expansion, contraction and swap are one figure here, because one change of an account may be the
-- gain of one plan and the loss of another.
with

accounts as (

    select
        mrr_month,
        sum(opening_mrr_usd) as opening_usd,
        sum(new_mrr_usd) as new_usd,
        sum(reactivation_mrr_usd) as reactivation_usd,
        sum(expansion_mrr_usd + contraction_mrr_usd) as change_usd,
        sum(churn_mrr_usd) as churn_usd,
        sum(fx_mrr_usd) as fx_usd,
        sum(closing_mrr_usd) as closing_usd
    from {{ ref('fct_mrr_monthly') }}
    group by mrr_month

),

grains as (

    select
        'plan' as grain,
        mrr_month,
        sum(opening_mrr_usd) as opening_usd,
        sum(new_mrr_usd) as new_usd,
        sum(reactivation_mrr_usd) as reactivation_usd,
        sum(expansion_mrr_usd + contraction_mrr_usd + swap_mrr_usd) as change_usd,
        sum(churn_mrr_usd) as churn_usd,
        sum(fx_mrr_usd) as fx_usd,
        sum(closing_mrr_usd) as closing_usd
    from {{ ref('fct_mrr_plans_monthly') }}
    group by mrr_month

    union all

    select
        case when segment = 'total' then 'total' else 'segment' end as grain,
        mrr_month,
        sum(opening_mrr_usd) as opening_usd,
        sum(new_mrr_usd) as new_usd,
        sum(reactivation_mrr_usd) as reactivation_usd,
        sum(expansion_mrr_usd + contraction_mrr_usd) as change_usd,
        sum(churn_mrr_usd) as churn_usd,
        sum(fx_mrr_usd) as fx_usd,
        sum(closing_mrr_usd) as closing_usd
    from {{ ref('fct_revenue_retention_monthly') }}
    group by
        case when segment = 'total' then 'total' else 'segment' end,
        mrr_month

),

grain_names as (

    select 'plan' as grain
    union all
    select 'segment' as grain
    union all
    select 'total' as grain

)

select
    grain_names.grain,
    accounts.mrr_month,
    accounts.opening_usd as account_opening_usd,
    grains.opening_usd,
    accounts.closing_usd as account_closing_usd,
    grains.closing_usd
from accounts
cross join grain_names
left join grains
    on
        accounts.mrr_month = grains.mrr_month
        and grain_names.grain = grains.grain
where
    greatest(
        abs(accounts.opening_usd - coalesce(grains.opening_usd, 0)),
        abs(accounts.new_usd - coalesce(grains.new_usd, 0)),
        abs(accounts.reactivation_usd - coalesce(grains.reactivation_usd, 0)),
        abs(accounts.change_usd - coalesce(grains.change_usd, 0)),
        abs(accounts.churn_usd - coalesce(grains.churn_usd, 0)),
        abs(accounts.fx_usd - coalesce(grains.fx_usd, 0)),
        abs(accounts.closing_usd - coalesce(grains.closing_usd, 0))
    ) >= 0.005
