-- Proves that `fx` is last month's MRR in its own currency times the change of the rate. A check of
-- closing minus opening minus the other movements could not fail, because the mart computes `fx`
-- that way. The mart rounds three amounts to six decimals, so two units of the last may differ.
with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

rate_changes as (

    select
        this_month.account_id,
        this_month.mrr_month,
        sum(
            month_before.mrr * (this_month.usd_per_unit - month_before.usd_per_unit)
        ) as expected_fx_usd

    from int_mrr_account_currencies_monthly as this_month
    inner join int_mrr_account_currencies_monthly as month_before
        on
            this_month.account_id = month_before.account_id
            and this_month.currency = month_before.currency
            and this_month.mrr_month = {{ dbt.dateadd('month', 1, 'month_before.mrr_month') }}
    where month_before.mrr != 0
    group by
        this_month.account_id,
        this_month.mrr_month

)

select
    fct_mrr_monthly.account_id,
    fct_mrr_monthly.mrr_month,
    fct_mrr_monthly.movement_type,
    fct_mrr_monthly.fx_mrr_usd,
    rate_changes.expected_fx_usd

from fct_mrr_monthly
left join rate_changes
    on
        fct_mrr_monthly.account_id = rate_changes.account_id
        and fct_mrr_monthly.mrr_month = rate_changes.mrr_month
where
    case
        when fct_mrr_monthly.movement_type in ('new', 'reactivation', 'churn')
            then fct_mrr_monthly.fx_mrr_usd != 0
        else
            abs(fct_mrr_monthly.fx_mrr_usd - coalesce(rate_changes.expected_fx_usd, 0)) > 0.000002
    end
