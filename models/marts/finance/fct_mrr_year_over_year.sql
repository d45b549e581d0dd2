with

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

-- An account has a row for each of its currencies in every month, so the inner join loses no MRR
-- that moved from one currency to another.
paired as (

    select
        month_then.account_id,
        month_now.mrr_month,
        month_then.mrr_month as year_before_month,
        month_now.is_month_closed,
        month_then.mrr as mrr_then,
        month_now.mrr as mrr_now,
        month_then.usd_per_unit as usd_per_unit_then,
        month_now.usd_per_unit as usd_per_unit_now,
        coalesce(month_then.usd_per_unit, month_now.usd_per_unit) as constant_usd_per_unit

    from int_mrr_account_currencies_monthly as month_then
    inner join int_mrr_account_currencies_monthly as month_now
        on
            month_then.account_id = month_now.account_id
            and month_then.currency = month_now.currency
            and month_now.mrr_month = {{ dbt.dateadd('month', 12, 'month_then.mrr_month') }}

),

-- A rate may be missing where there is no MRR to convert.
accounts as (

    select
        account_id,
        mrr_month,
        year_before_month,
        is_month_closed,
        cast(
            sum(case when mrr_then = 0 then 0 else mrr_then * usd_per_unit_then end)
            as decimal(28, 6)
        ) as mrr_then_usd,
        cast(
            sum(case when mrr_now = 0 then 0 else mrr_now * usd_per_unit_now end)
            as decimal(28, 6)
        ) as mrr_now_usd,
        cast(
            sum(case when mrr_now = 0 then 0 else mrr_now * constant_usd_per_unit end)
            as decimal(28, 6)
        ) as mrr_now_constant_usd

    from paired
    group by
        account_id,
        mrr_month,
        year_before_month,
        is_month_closed
    having sum(mrr_then) > 0

),

final as (

    select
        account_id,
        mrr_month,
        year_before_month,
        is_month_closed,
        mrr_then_usd,
        mrr_now_usd,
        mrr_now_constant_usd,
        least(mrr_now_usd, mrr_then_usd) as mrr_kept_usd,
        least(mrr_now_constant_usd, mrr_then_usd) as mrr_kept_constant_usd,
        mrr_now_usd > 0 as is_retained

    from accounts

)

select * from final
