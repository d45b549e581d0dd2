{%- set twelve_months = '(partition by segment order by mrr_month'
    ~ ' rows between 11 preceding and current row)' -%}

with

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_mrr_year_over_year as (

    select * from {{ ref('fct_mrr_year_over_year') }}

),

-- Every account counts twice: in its present segment and in the total.
account_segments as (

    select
        account_id,
        coalesce(segment, 'unknown') as segment
    from dim_accounts

    union all

    select
        account_id,
        'total' as segment
    from dim_accounts

),

monthly as (

    select
        account_segments.segment,
        fct_mrr_monthly.mrr_month,
        fct_mrr_monthly.is_month_closed,
        sum(fct_mrr_monthly.opening_mrr_usd) as opening_mrr_usd,
        sum(fct_mrr_monthly.new_mrr_usd) as new_mrr_usd,
        sum(fct_mrr_monthly.reactivation_mrr_usd) as reactivation_mrr_usd,
        sum(fct_mrr_monthly.expansion_mrr_usd) as expansion_mrr_usd,
        sum(fct_mrr_monthly.contraction_mrr_usd) as contraction_mrr_usd,
        sum(fct_mrr_monthly.churn_mrr_usd) as churn_mrr_usd,
        sum(fct_mrr_monthly.fx_mrr_usd) as fx_mrr_usd,
        sum(fct_mrr_monthly.closing_mrr_usd) as closing_mrr_usd,
        count(*) filter (where fct_mrr_monthly.opening_mrr_usd > 0) as opening_account_count,
        count(*) filter (where fct_mrr_monthly.closing_mrr_usd > 0) as paying_account_count,
        count(*) filter (where fct_mrr_monthly.movement_type = 'churn') as churned_account_count,
        count(*) filter (
            where fct_mrr_monthly.movement_type in ('churn', 'contraction')
        ) as lost_account_count

    from fct_mrr_monthly
    inner join account_segments
        on fct_mrr_monthly.account_id = account_segments.account_id
    group by
        account_segments.segment,
        fct_mrr_monthly.mrr_month,
        fct_mrr_monthly.is_month_closed

),

trailing_years as (

    select
        segment,
        mrr_month,
        sum(-churn_mrr_usd - contraction_mrr_usd) over {{ twelve_months }} as lost_mrr_usd,
        sum(opening_mrr_usd) over {{ twelve_months }} as opening_mrr_usd,
        sum(churned_account_count) over {{ twelve_months }} as churned_account_count
    from monthly

),

year_over_year as (

    select
        account_segments.segment,
        fct_mrr_year_over_year.mrr_month,
        sum(fct_mrr_year_over_year.mrr_then_usd) as mrr_then_usd,
        sum(fct_mrr_year_over_year.mrr_now_usd) as mrr_now_usd,
        sum(fct_mrr_year_over_year.mrr_now_constant_usd) as mrr_now_constant_usd,
        sum(fct_mrr_year_over_year.mrr_kept_usd) as mrr_kept_usd,
        sum(fct_mrr_year_over_year.mrr_kept_constant_usd) as mrr_kept_constant_usd,
        count(*) as account_then_count,
        count(*) filter (where fct_mrr_year_over_year.is_retained) as retained_account_count

    from fct_mrr_year_over_year
    inner join account_segments
        on fct_mrr_year_over_year.account_id = account_segments.account_id
    group by
        account_segments.segment,
        fct_mrr_year_over_year.mrr_month

),

rates as (

    select
        monthly.segment,
        monthly.mrr_month,
        coalesce(year_over_year.account_then_count, 0) as account_then_count,
        {{ ratio('year_over_year.mrr_now_usd', 'year_over_year.mrr_then_usd') }}
            as net_revenue_retention_rate,
        {{ ratio('year_over_year.mrr_kept_usd', 'year_over_year.mrr_then_usd') }}
            as gross_revenue_retention_rate,
        {{ ratio('year_over_year.mrr_now_constant_usd', 'year_over_year.mrr_then_usd') }}
            as constant_net_revenue_retention_rate,
        {{ ratio('year_over_year.mrr_kept_constant_usd', 'year_over_year.mrr_then_usd') }}
            as constant_gross_revenue_retention_rate,
        {{ ratio('year_over_year.retained_account_count', 'year_over_year.account_then_count') }}
            as logo_retention_rate,
        {{ ratio(
            '-monthly.churn_mrr_usd - monthly.contraction_mrr_usd', 'monthly.opening_mrr_usd'
        ) }} as revenue_churn_rate,
        {{ ratio('monthly.churned_account_count', 'monthly.opening_account_count') }}
            as logo_churn_rate,
        case
            when monthly.lost_account_count >= {{ var('least_churned_accounts') }}
                then {{ ratio(
                    'monthly.new_mrr_usd + monthly.reactivation_mrr_usd + monthly.expansion_mrr_usd',
                    '-monthly.churn_mrr_usd - monthly.contraction_mrr_usd'
                ) }}
        end as quick_ratio,
        {{ ratio('monthly.closing_mrr_usd', 'monthly.paying_account_count') }} as arpa_usd,
        cast(trailing_years.churned_account_count as bigint) as trailing_churned_account_count,
        {{ ratio('trailing_years.lost_mrr_usd', 'trailing_years.opening_mrr_usd') }}
            as trailing_revenue_churn_rate

    from monthly
    inner join trailing_years
        on
            monthly.segment = trailing_years.segment
            and monthly.mrr_month = trailing_years.mrr_month
    left join year_over_year
        on
            monthly.segment = year_over_year.segment
            and monthly.mrr_month = year_over_year.mrr_month

),

-- The fewer accounts that churned, the further one of them moves the lifetime.
lifetimes as (

    select
        segment,
        mrr_month,
        case
            when trailing_churned_account_count >= {{ var('least_churned_accounts') }}
                then least(
                        {{ ratio(1, 'trailing_revenue_churn_rate') }}, {{ var('ltv_max_months') }}
                    )
        end as lifetime_months

    from rates

),

final as (

    select
        monthly.segment,
        monthly.mrr_month,
        monthly.is_month_closed,
        cast(monthly.opening_mrr_usd as decimal(28, 6)) as opening_mrr_usd,
        cast(monthly.new_mrr_usd as decimal(28, 6)) as new_mrr_usd,
        cast(monthly.reactivation_mrr_usd as decimal(28, 6)) as reactivation_mrr_usd,
        cast(monthly.expansion_mrr_usd as decimal(28, 6)) as expansion_mrr_usd,
        cast(monthly.contraction_mrr_usd as decimal(28, 6)) as contraction_mrr_usd,
        cast(monthly.churn_mrr_usd as decimal(28, 6)) as churn_mrr_usd,
        cast(monthly.fx_mrr_usd as decimal(28, 6)) as fx_mrr_usd,
        cast(monthly.closing_mrr_usd as decimal(28, 6)) as closing_mrr_usd,
        cast(12 * monthly.closing_mrr_usd as decimal(28, 6)) as closing_arr_usd,
        monthly.opening_account_count,
        monthly.paying_account_count,
        monthly.churned_account_count,
        monthly.lost_account_count,
        rates.account_then_count,
        rates.net_revenue_retention_rate,
        rates.gross_revenue_retention_rate,
        rates.constant_net_revenue_retention_rate,
        rates.constant_gross_revenue_retention_rate,
        rates.logo_retention_rate,
        rates.revenue_churn_rate,
        rates.logo_churn_rate,
        rates.quick_ratio,
        cast(rates.arpa_usd as decimal(28, 6)) as arpa_usd,
        rates.trailing_churned_account_count,
        rates.trailing_revenue_churn_rate,
        lifetimes.lifetime_months,
        cast(
            rates.arpa_usd * {{ var('gross_margin_rate') }} * lifetimes.lifetime_months
            as decimal(28, 6)
        ) as ltv_usd

    from monthly
    inner join rates
        on
            monthly.segment = rates.segment
            and monthly.mrr_month = rates.mrr_month
    inner join lifetimes
        on
            monthly.segment = lifetimes.segment
            and monthly.mrr_month = lifetimes.mrr_month

)

select * from final
