-- The weight of each part of the score, 100 together, and the value at which it is worst or best.
{%- set recency_weight, recency_worst_days = 25, 30 -%}
{%- set trend_weight = 20 -%}
{%- set breadth_weight, breadth_best_features = 25, 10 -%}
{%- set seat_use_weight = 10 -%}
{%- set billing_weight = 20 %}

{%- set quarter_before = '(partition by usage.account_id order by usage.usage_month'
    ~ ' rows between 3 preceding and 1 preceding)' %}

with

features as (

    select * from {{ ref('features') }}

),

fct_account_usage_monthly as (

    select * from {{ ref('fct_account_usage_monthly') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_payments as (

    select * from {{ ref('fct_payments') }}

),

fct_receivables_monthly as (

    select * from {{ ref('fct_receivables_monthly') }}

),

failures as (

    select
        account_id,
        {{ month_start('created_at') }} as failed_month,
        count(*) as failed_payment_count

    from fct_payments
    where payment_status = 'failed'
    group by
        account_id,
        failed_month

),

past_due as (

    select
        account_id,
        receivable_month,
        sum(open_usd - current_usd) as past_due_usd

    from fct_receivables_monthly
    group by
        account_id,
        receivable_month

),

measured as (

    select
        usage.account_id,
        usage.usage_month as health_month,
        usage.is_month_closed,
        usage.has_workspace,
        usage.has_users,
        usage.event_count,
        usage.active_user_count,
        usage.active_day_count,
        usage.feature_count,
        usage.paid_seat_count,
        usage.seat_use_rate,
        usage.days_since_active,
        {{ ratio(
            'usage.events_per_day * sum(usage.day_count) over ' ~ quarter_before,
            'sum(usage.event_count) over ' ~ quarter_before
        ) }} as usage_trend_rate,
        cast(coalesce(failures.failed_payment_count, 0) as integer) as failed_payment_count,
        cast(coalesce(past_due.past_due_usd, 0) as decimal(28, 6)) as past_due_usd,
        cast(coalesce(fct_mrr_monthly.closing_mrr_usd, 0) as decimal(28, 6)) as closing_mrr_usd,
        coalesce(fct_mrr_monthly.movement_type, 'none') as movement_type

    from fct_account_usage_monthly as usage
    left join fct_mrr_monthly
        on
            usage.account_id = fct_mrr_monthly.account_id
            and usage.usage_month = fct_mrr_monthly.mrr_month
    left join failures
        on
            usage.account_id = failures.account_id
            and usage.usage_month = failures.failed_month
    left join past_due
        on
            usage.account_id = past_due.account_id
            and usage.usage_month = past_due.receivable_month

),

-- A product of few features is used in all its breadth with all of them.
breadth as (

    select greatest(least(count(*), {{ breadth_best_features }}), 1) as best_feature_count
    from features

),

-- Each part is its weight times a share from 0 to 1. What is unknown adds no risk, except that no
-- use at all adds the most.
scored as (

    select
        measured.account_id,
        measured.health_month,
        measured.is_month_closed,
        measured.has_workspace,
        measured.has_users,
        measured.event_count,
        measured.active_user_count,
        measured.active_day_count,
        measured.feature_count,
        measured.paid_seat_count,
        measured.seat_use_rate,
        measured.days_since_active,
        measured.usage_trend_rate,
        measured.failed_payment_count,
        measured.past_due_usd,
        cast(round({{ recency_weight }} * {{ ratio(
            'least(coalesce(measured.days_since_active, ' ~ recency_worst_days ~ '), '
            ~ recency_worst_days ~ ')',
            recency_worst_days
        ) }}) as integer) as recency_risk_score,
        cast(round({{ trend_weight }} * case
            when measured.usage_trend_rate is not null then 1 - least(measured.usage_trend_rate, 1)
            when measured.event_count = 0 then 1
            else 0
        end) as integer) as trend_risk_score,
        cast(round({{ breadth_weight }} * (1 - {{ ratio(
            'least(measured.feature_count, breadth.best_feature_count)',
            'breadth.best_feature_count'
        ) }})) as integer) as breadth_risk_score,
        cast(round(
            {{ seat_use_weight }} * (1 - least(coalesce(measured.seat_use_rate, 1), 1))
        ) as integer) as seat_use_risk_score,
        cast(round({{ billing_weight }} * case
            when measured.past_due_usd > 0 then 1
            when measured.failed_payment_count > 0 then 0.5
            else 0
        end) as integer) as billing_risk_score,
        measured.closing_mrr_usd,
        measured.movement_type

    from measured
    cross join breadth

),

final as (

    select
        account_id,
        health_month,
        is_month_closed,
        has_workspace,
        has_users,
        event_count,
        active_user_count,
        active_day_count,
        feature_count,
        paid_seat_count,
        seat_use_rate,
        days_since_active,
        usage_trend_rate,
        failed_payment_count,
        past_due_usd,
        recency_risk_score,
        trend_risk_score,
        breadth_risk_score,
        seat_use_risk_score,
        billing_risk_score,
        recency_risk_score
        + trend_risk_score
        + breadth_risk_score
        + seat_use_risk_score
        + billing_risk_score as churn_risk_score,
        closing_mrr_usd,
        closing_mrr_usd > 0 as is_paying,
        movement_type

    from scored

)

select * from final
