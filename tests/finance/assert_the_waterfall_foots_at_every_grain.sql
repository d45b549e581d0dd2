-- Proves that the waterfalls by plan and by segment are the accounts' waterfall cut another way:
-- month by month each movement adds up to the accounts' own, to the cent. Written the easy way,
-- row by row, it would miss an account that is in no segment, or in two, and a plan that was
-- lost: each row foots all the same, since `fx` takes what is left. Expansion, contraction and
-- swaps of plan are one figure here: an account's one change may be the gain of one plan and the
-- loss of another.
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
    accounts.*,
    grains.*
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
