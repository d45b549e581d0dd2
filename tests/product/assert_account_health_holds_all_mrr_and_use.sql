-- Proves that every account that pays is in the health of its month with its MRR, however silent
-- it is, and that use adds up to the accounts' daily activity. Built from usage alone, health
-- would miss accounts that stopped coming, and joins to payments or receivables would repeat
-- months.
with

recording as (

    select min(usage_month) as first_month
    from {{ ref('fct_account_usage_monthly') }}

),

paid as (

    select
        fct_mrr_monthly.account_id,
        fct_mrr_monthly.mrr_month as health_month,
        fct_mrr_monthly.closing_mrr_usd as mrr_usd,
        0 as event_count

    from {{ ref('fct_mrr_monthly') }} as fct_mrr_monthly
    inner join {{ ref('dim_accounts') }} as dim_accounts
        on fct_mrr_monthly.account_id = dim_accounts.account_id
    cross join recording
    where
        fct_mrr_monthly.mrr_month >= recording.first_month
        and not (dim_accounts.is_internal or dim_accounts.is_test)

),

used as (

    select
        fct_account_activity_daily.account_id,
        {{ month_start('fct_account_activity_daily.activity_date') }} as health_month,
        0 as mrr_usd,
        fct_account_activity_daily.track_event_count as event_count

    from {{ ref('fct_account_activity_daily') }} as fct_account_activity_daily
    cross join {{ ref('int_as_of') }} as int_as_of
    where fct_account_activity_daily.activity_date <= int_as_of.as_of_date

),

shown as (

    select
        account_id,
        health_month,
        -closing_mrr_usd as mrr_usd,
        -event_count as event_count
    from {{ ref('fct_account_health') }}

),

differences as (

    select
        account_id,
        health_month,
        mrr_usd,
        event_count
    from paid

    union all

    select
        account_id,
        health_month,
        mrr_usd,
        event_count
    from used

    union all

    select
        account_id,
        health_month,
        mrr_usd,
        event_count
    from shown

)

select
    account_id,
    health_month,
    sum(mrr_usd) as mrr_usd,
    sum(event_count) as event_count

from differences
group by
    account_id,
    health_month
having sum(mrr_usd) != 0 or sum(event_count) != 0

union all

-- A silent account without MRR differs by 0 even when its row is missing.
select
    paid.account_id,
    paid.health_month,
    paid.mrr_usd,
    paid.event_count

from paid
left join {{ ref('fct_account_health') }} as fct_account_health
    on
        paid.account_id = fct_account_health.account_id
        and paid.health_month = fct_account_health.health_month
where fct_account_health.account_id is null
