-- Proves that, for every account and closed month, the ARR first reported plus its restatements is
-- twelve times the sum of all movements up to that month. A check of closing against opening plus
-- movements would miss a figure that changed in the snapshot, or since then without a restatement.
with

movements as (

    select
        account_id,
        mrr_month,
        sum(mrr_usd) as movement_usd
    from {{ ref('fct_mrr_movements') }}
    group by
        account_id,
        mrr_month

),

reports as (

    select
        snapshots.account_id,
        snapshots.mrr_month,
        snapshots.closing_mrr_usd,
        snapshots.dbt_valid_from
    from {{ ref('snap_finance__mrr_monthly') }} as snapshots
    inner join {{ ref('int_as_of') }} as int_as_of
        on snapshots.dbt_valid_from <= int_as_of.as_of_at

),

first_reports as (

    select
        mrr_month,
        min(dbt_valid_from) as first_reported_at
    from reports
    group by mrr_month

),

reported as (

    select
        reports.account_id,
        reports.mrr_month,
        reports.closing_mrr_usd as mrr_usd
    from reports
    inner join first_reports
        on
            reports.mrr_month = first_reports.mrr_month
            and reports.dbt_valid_from = first_reports.first_reported_at

    union all

    select
        account_id,
        mrr_month,
        restated_mrr_usd as mrr_usd
    from {{ ref('fct_mrr_restatements') }}

),

summed as (

    select
        first_reports.mrr_month,
        movements.account_id,
        12 * sum(movements.movement_usd) as movements_arr_usd,
        cast(0 as decimal(28, 6)) as reported_arr_usd
    from first_reports
    inner join movements
        on first_reports.mrr_month >= movements.mrr_month
    group by
        first_reports.mrr_month,
        movements.account_id

    union all

    select
        mrr_month,
        account_id,
        cast(0 as decimal(28, 6)) as movements_arr_usd,
        12 * mrr_usd as reported_arr_usd
    from reported

)

select
    account_id,
    mrr_month,
    sum(movements_arr_usd) as movements_arr_usd,
    sum(reported_arr_usd) as reported_arr_usd
from summed
group by
    account_id,
    mrr_month
having sum(movements_arr_usd) != sum(reported_arr_usd)
