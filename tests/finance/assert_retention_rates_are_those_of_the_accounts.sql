-- Proves that retention, churn and ARPA of each segment and month are shares of the accounts' own
-- MRR of that month, of the month before and of a year before. Rates that lie between 0 and 1
-- could still have another denominator, window or segment. Rates at constant exchange rates have
-- the MRR of `fct_mrr_year_over_year`, because the months hold no MRR in its own currency.
with

account_segments as (

    select
        account_id,
        segment
    from {{ ref('dim_accounts') }}

    union all

    select
        account_id,
        'total' as segment
    from {{ ref('dim_accounts') }}

),

months as (

    select
        account_segments.segment,
        mrr.account_id,
        mrr.mrr_month,
        mrr.movement_type,
        mrr.opening_mrr_usd,
        mrr.closing_mrr_usd,
        mrr.churn_mrr_usd + mrr.contraction_mrr_usd as lost_mrr_usd
    from {{ ref('fct_mrr_monthly') }} as mrr
    inner join account_segments
        on mrr.account_id = account_segments.account_id

),

-- A row for each of an account's twelve months up to a month.
years as (

    select
        retention.segment,
        retention.mrr_month,
        months.account_id,
        months.mrr_month = retention.mrr_month as is_month,
        months.movement_type,
        months.opening_mrr_usd,
        months.closing_mrr_usd,
        months.lost_mrr_usd

    from {{ ref('fct_revenue_retention_monthly') }} as retention
    inner join months
        on
            retention.segment = months.segment
            and retention.mrr_month >= months.mrr_month
            and retention.mrr_month < {{ dbt.dateadd('month', 12, 'months.mrr_month') }}

),

of_months as (

    select
        segment,
        mrr_month,
        {{ ratio(
            'sum(closing_mrr_usd) filter (where is_month)',
            'count(*) filter (where is_month and closing_mrr_usd > 0)'
        ) }} as arpa_usd,
        {{ ratio(
            '-sum(lost_mrr_usd) filter (where is_month)',
            'sum(opening_mrr_usd) filter (where is_month)'
        ) }} as revenue_churn_rate,
        {{ ratio(
            "count(*) filter (where is_month and movement_type = 'churn')",
            'count(*) filter (where is_month and opening_mrr_usd > 0)'
        ) }} as logo_churn_rate,
        count(*) filter (where movement_type = 'churn') as trailing_churned_account_count,
        {{ ratio('-sum(lost_mrr_usd)', 'sum(opening_mrr_usd)') }} as trailing_revenue_churn_rate

    from years
    group by
        segment,
        mrr_month

),

of_years as (

    select
        month_then.segment,
        months.mrr_month,
        {{ ratio('sum(months.closing_mrr_usd)', 'sum(month_then.closing_mrr_usd)') }}
            as net_revenue_retention_rate,
        {{ ratio(
            'sum(least(months.closing_mrr_usd, month_then.closing_mrr_usd))',
            'sum(month_then.closing_mrr_usd)'
        ) }} as gross_revenue_retention_rate,
        {{ ratio('count(*) filter (where months.closing_mrr_usd > 0)', 'count(*)') }}
            as logo_retention_rate

    from months as month_then
    inner join months
        on
            month_then.segment = months.segment
            and month_then.account_id = months.account_id
            and months.mrr_month = {{ dbt.dateadd('month', 12, 'month_then.mrr_month') }}
    where month_then.closing_mrr_usd > 0
    group by
        month_then.segment,
        months.mrr_month

),

of_constant_rates as (

    select
        account_segments.segment,
        years.mrr_month,
        {{ ratio('sum(years.mrr_now_constant_usd)', 'sum(years.mrr_then_usd)') }}
            as constant_net_revenue_retention_rate,
        {{ ratio('sum(years.mrr_kept_constant_usd)', 'sum(years.mrr_then_usd)') }}
            as constant_gross_revenue_retention_rate

    from {{ ref('fct_mrr_year_over_year') }} as years
    inner join account_segments
        on years.account_id = account_segments.account_id
    group by
        account_segments.segment,
        years.mrr_month

),

{%- set rates = {
    'of_months': [
        'arpa_usd', 'revenue_churn_rate', 'logo_churn_rate', 'trailing_churned_account_count',
        'trailing_revenue_churn_rate',
    ],
    'of_years': [
        'net_revenue_retention_rate', 'gross_revenue_retention_rate', 'logo_retention_rate',
    ],
    'of_constant_rates': [
        'constant_net_revenue_retention_rate', 'constant_gross_revenue_retention_rate',
    ],
} %}

compared as (
    {% for relation, columns in rates.items() -%}
    {%- set outer = loop %}
    {%- for column in columns %}
    select
        retention.segment,
        retention.mrr_month,
        '{{ column }}' as rate,
        cast(retention.{{ column }} as double) as stated_value,
        cast({{ relation }}.{{ column }} as double) as expected_value

    from {{ ref('fct_revenue_retention_monthly') }} as retention
    left join {{ relation }}
        on
            retention.segment = {{ relation }}.segment
            and retention.mrr_month = {{ relation }}.mrr_month
    {%- if not (loop.last and outer.last) %}

    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}

)

select *
from compared
where
    (stated_value is null) != (expected_value is null)
    or abs(stated_value - expected_value) > 0.000001
