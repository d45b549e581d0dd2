-- The months within which a churn is predicted, and those over which payments and changes count.
{%- set horizon_months = 3 %}
{%- set last_date = 'cast(' ~ dbt.last_day('reports.account_month', 'month') ~ ' as date)' %}

{%- set history = '(partition by account_id order by account_month)' -%}
{%- set quarter_before = '(partition by account_id order by account_month'
    ~ ' rows between 3 preceding and 1 preceding)' -%}
{%- set half_year = '(partition by account_id order by account_month'
    ~ ' rows between 5 preceding and current row)' %}

with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

snap_product__account_months as (

    select * from {{ ref('snap_product__account_months') }}

),

-- An account that is first reported after the month's first report was not known then.
reports as (

    select
        reported.account_id,
        reported.account_month,
        reported.dbt_valid_from as known_at,
        reported.closing_mrr_usd,
        reported.native_mrr,
        reported.first_mrr_month,
        reported.subscription_count,
        reported.plan_tier_number,
        reported.paid_seat_count,
        reported.list_mrr_usd,
        reported.term_months,
        reported.months_to_renewal,
        reported.is_past_due,
        reported.is_cancel_scheduled,
        reported.cancel_at,
        reported.past_due_usd,
        reported.failed_payment_count,
        reported.has_usage_data,
        case when reported.has_usage_data then reported.event_count end as event_count,
        case when reported.has_usage_data then reported.active_user_count end
            as active_user_count,
        case when reported.has_usage_data then reported.active_day_count end as active_day_count,
        case when reported.has_usage_data then reported.feature_count end as feature_count,
        reported.last_active_date

    from snap_product__account_months as reported
    inner join int_as_of
        on reported.dbt_valid_from <= int_as_of.as_of_at
    qualify
        reported.dbt_valid_from
        = min(reported.dbt_valid_from) over (partition by reported.account_month)

),

-- A change of the exchange rate is no change of the contract.
changes as (

    select
        account_id,
        account_month,
        has_usage_data,
        active_user_count,
        failed_payment_count,
        {{ ratio('event_count', dbt.datediff('account_month', last_date, 'day') ~ ' + 1') }}
            as events_per_day,
        case
            when coalesce(native_mrr, '') = lag(coalesce(native_mrr, '')) over {{ history }} then 0
            when closing_mrr_usd = 0 then 0
            else sign(closing_mrr_usd - nullif(lag(closing_mrr_usd) over {{ history }}, 0))
        end as direction

    from reports

),

trends as (

    select
        account_id,
        account_month,
        case
            when has_usage_data
                then {{ ratio('events_per_day', 'avg(events_per_day) over ' ~ quarter_before) }}
        end as usage_trend_rate,
        case
            when has_usage_data
                then {{ ratio('active_user_count', 'max(active_user_count) over ' ~ half_year) }}
        end as users_to_peak_rate,
        sum(failed_payment_count) over (
            partition by account_id
            order by account_month
            rows between 2 preceding and current row
        ) as failed_payment_count,
        count(*) filter (where direction > 0) over {{ half_year }} as expansion_count,
        count(*) filter (where direction < 0) over {{ half_year }} as contraction_count

    from changes

),

newest as (

    select max(account_month) as newest_month
    from reports

),

outcomes as (

    select
        reports.account_id,
        reports.account_month,
        min(later.account_month) filter (where later.closing_mrr_usd = 0) as churned_month,
        count(*) as reported_count

    from reports
    inner join reports as later
        on
            reports.account_id = later.account_id
            and reports.account_month < later.account_month
            and {{ dbt.dateadd('month', horizon_months, 'reports.account_month') }}
            >= later.account_month
    group by
        reports.account_id,
        reports.account_month

),

final as (

    select
        reports.account_id,
        reports.account_month as feature_month,
        reports.known_at,
        cast(reports.closing_mrr_usd as decimal(28, 6)) as closing_mrr_usd,
        cast({{ dbt.datediff(
            'reports.first_mrr_month', 'reports.account_month', 'month'
        ) }} + 1 as integer) as tenure_months,
        reports.term_months,
        reports.months_to_renewal,
        reports.subscription_count,
        reports.plan_tier_number,
        reports.paid_seat_count,
        {{ ratio('(reports.list_mrr_usd - reports.closing_mrr_usd)', 'reports.list_mrr_usd') }}
            as discount_rate,
        reports.has_usage_data,
        cast(reports.event_count as integer) as event_count,
        cast(reports.active_user_count as integer) as active_user_count,
        cast(reports.active_day_count as integer) as active_day_count,
        cast(reports.feature_count as integer) as feature_count,
        {{ ratio('reports.active_user_count', 'reports.paid_seat_count') }} as seat_use_rate,
        cast({{ dbt.datediff(
            'reports.last_active_date', last_date, 'day'
        ) }} as integer) as days_since_active,
        trends.usage_trend_rate,
        trends.users_to_peak_rate,
        cast(trends.failed_payment_count as integer) as failed_payment_count,
        cast(reports.past_due_usd as decimal(28, 6)) as past_due_usd,
        reports.is_past_due,
        cast(trends.expansion_count as integer) as expansion_count,
        cast(trends.contraction_count as integer) as contraction_count,
        reports.is_cancel_scheduled,
        reports.cancel_at,
        reports.is_cancel_scheduled
        and coalesce(
            {{ dbt.dateadd('month', horizon_months + 1, 'reports.account_month') }}
            > reports.cancel_at,
            false
        ) as is_ending,
        case
            when
                {{ dbt.dateadd('month', horizon_months, 'reports.account_month') }}
                > newest.newest_month
                then 'unknown'
            when outcomes.churned_month is not null then 'churned'
            when outcomes.reported_count = {{ horizon_months }} then 'stayed'
            else 'unknown'
        end as outcome,
        outcomes.churned_month

    from reports
    cross join newest
    inner join trends
        on
            reports.account_id = trends.account_id
            and reports.account_month = trends.account_month
    left join outcomes
        on
            reports.account_id = outcomes.account_id
            and reports.account_month = outcomes.account_month
    where reports.closing_mrr_usd > 0

)

select * from final
