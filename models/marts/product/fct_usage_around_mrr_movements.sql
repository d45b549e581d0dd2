{%- set months_before, months_after = 6, 3 %}

with

fct_account_usage_monthly as (

    select * from {{ ref('fct_account_usage_monthly') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

closed_months as (

    select
        account_id,
        mrr_month,
        movement_type,
        opening_mrr_usd,
        expansion_mrr_usd + contraction_mrr_usd + churn_mrr_usd as movement_usd,
        sum(case when movement_type != 'none' then 1 else 0 end) over (
            partition by account_id
            order by mrr_month
            rows between {{ months_before }} preceding and {{ months_after }} following
        ) as movements_around

    from fct_mrr_monthly
    where is_month_closed

),

-- Accounts that moved, and as a control those that paid and did not move in any month shown.
movements as (

    select
        account_id,
        mrr_month,
        movement_type,
        movement_usd

    from closed_months
    where
        movement_type in ('expansion', 'contraction', 'churn')
        or (movements_around = 0 and opening_mrr_usd > 0)

),

months_counted as (

    select
        {{ explode(dbt.array_construct(range(months_before + months_after + 1))) }} as month_count

),

month_offsets as (

    select cast(month_count - {{ months_before }} as integer) as month_offset_number
    from months_counted

),

movement_months as (

    select
        movements.account_id,
        movements.mrr_month,
        movements.movement_type,
        movements.movement_usd,
        month_offsets.month_offset_number,
        cast(
            {{ dbt.dateadd(
                'month', 'month_offsets.month_offset_number', 'movements.mrr_month'
            ) }} as date
        ) as usage_month

    from movements
    cross join month_offsets

),

used as (

    select
        movement_months.account_id,
        movement_months.mrr_month,
        movement_months.movement_type,
        movement_months.movement_usd,
        movement_months.month_offset_number,
        movement_months.usage_month,
        fct_account_usage_monthly.event_count,
        fct_account_usage_monthly.day_count,
        fct_account_usage_monthly.active_user_count,
        fct_account_usage_monthly.events_per_day

    from movement_months
    inner join fct_account_usage_monthly
        on
            movement_months.account_id = fct_account_usage_monthly.account_id
            and movement_months.usage_month = fct_account_usage_monthly.usage_month
    where fct_account_usage_monthly.is_month_closed

),

-- Usual use is that of the first three months shown, before any sign of the movement.
baselines as (

    select
        account_id,
        mrr_month,
        {{ ratio('sum(event_count)', 'sum(day_count)') }} as baseline_events_per_day

    from used
    where month_offset_number <= 2 - {{ months_before }}
    group by
        account_id,
        mrr_month

),

final as (

    select
        used.account_id,
        used.mrr_month,
        used.movement_type,
        used.month_offset_number,
        used.usage_month,
        cast(used.movement_usd as decimal(28, 6)) as movement_usd,
        used.event_count,
        used.active_user_count,
        used.events_per_day,
        baselines.baseline_events_per_day,
        {{ ratio('used.events_per_day', 'baselines.baseline_events_per_day') }} as usage_index

    from used
    left join baselines
        on
            used.account_id = baselines.account_id
            and used.mrr_month = baselines.mrr_month

)

select * from final
