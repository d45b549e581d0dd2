with

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_mrr_year_over_year as (

    select * from {{ ref('int_mrr_year_over_year') }}

),

-- Every account counts twice: in its segment, as the account is now, and in the total.
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
        count(*) filter (where fct_mrr_monthly.movement_type = 'churn') as churned_account_count

    from fct_mrr_monthly
    inner join account_segments
        on fct_mrr_monthly.account_id = account_segments.account_id
    group by
        account_segments.segment,
        fct_mrr_monthly.mrr_month,
        fct_mrr_monthly.is_month_closed

),

trailing_quarters as (

    select
        *,
        sum(-churn_mrr_usd - contraction_mrr_usd) over quarter as lost_mrr_trailing_usd,
        sum(opening_mrr_usd) over quarter as opening_mrr_trailing_usd
    from monthly
    window quarter as (
        partition by segment order by mrr_month rows between 2 preceding and current row
    )

),

year_over_year as (

    select
        account_segments.segment,
        int_mrr_year_over_year.mrr_month,
        sum(int_mrr_year_over_year.mrr_then_usd) as mrr_then_usd,
        sum(int_mrr_year_over_year.mrr_now_usd) as mrr_now_usd,
        sum(int_mrr_year_over_year.mrr_now_constant_usd) as mrr_now_constant_usd,
        sum(
            least(int_mrr_year_over_year.mrr_now_usd, int_mrr_year_over_year.mrr_then_usd)
        ) as mrr_kept_usd,
        sum(
            least(int_mrr_year_over_year.mrr_now_constant_usd, int_mrr_year_over_year.mrr_then_usd)
        ) as mrr_kept_constant_usd,
        count(*) as account_then_count,
        count(*) filter (where int_mrr_year_over_year.mrr_now_usd > 0) as account_kept_count

    from int_mrr_year_over_year
    inner join account_segments
        on int_mrr_year_over_year.account_id = account_segments.account_id
    group by
        account_segments.segment,
        int_mrr_year_over_year.mrr_month

),

rates as (

    select
        trailing_quarters.*,
        coalesce(year_over_year.account_then_count, 0) as account_then_count,
        year_over_year.mrr_now_usd / nullif(year_over_year.mrr_then_usd, 0)
            as net_revenue_retention_rate,
        year_over_year.mrr_kept_usd / nullif(year_over_year.mrr_then_usd, 0)
            as gross_revenue_retention_rate,
        year_over_year.mrr_now_constant_usd / nullif(year_over_year.mrr_then_usd, 0)
            as constant_net_revenue_retention_rate,
        year_over_year.mrr_kept_constant_usd / nullif(year_over_year.mrr_then_usd, 0)
            as constant_gross_revenue_retention_rate,
        year_over_year.account_kept_count / nullif(year_over_year.account_then_count, 0)
            as logo_retention_rate,
        (-trailing_quarters.churn_mrr_usd - trailing_quarters.contraction_mrr_usd)
        / nullif(trailing_quarters.opening_mrr_usd, 0) as revenue_churn_rate,
        trailing_quarters.churned_account_count / nullif(trailing_quarters.opening_account_count, 0)
            as logo_churn_rate,
        (
            trailing_quarters.new_mrr_usd
            + trailing_quarters.reactivation_mrr_usd
            + trailing_quarters.expansion_mrr_usd
        )
        / nullif(-trailing_quarters.churn_mrr_usd - trailing_quarters.contraction_mrr_usd, 0)
            as quick_ratio,
        trailing_quarters.closing_mrr_usd
        / nullif(trailing_quarters.paying_account_count, 0) as arpa_usd,
        trailing_quarters.lost_mrr_trailing_usd
        / nullif(trailing_quarters.opening_mrr_trailing_usd, 0)
            as trailing_revenue_churn_rate

    from trailing_quarters
    left join year_over_year
        on
            trailing_quarters.segment = year_over_year.segment
            and trailing_quarters.mrr_month = year_over_year.mrr_month

),

final as (

    select
        segment,
        mrr_month,
        is_month_closed,
        cast(opening_mrr_usd as decimal(28, 6)) as opening_mrr_usd,
        cast(new_mrr_usd as decimal(28, 6)) as new_mrr_usd,
        cast(reactivation_mrr_usd as decimal(28, 6)) as reactivation_mrr_usd,
        cast(expansion_mrr_usd as decimal(28, 6)) as expansion_mrr_usd,
        cast(contraction_mrr_usd as decimal(28, 6)) as contraction_mrr_usd,
        cast(churn_mrr_usd as decimal(28, 6)) as churn_mrr_usd,
        cast(fx_mrr_usd as decimal(28, 6)) as fx_mrr_usd,
        cast(closing_mrr_usd as decimal(28, 6)) as closing_mrr_usd,
        cast(12 * closing_mrr_usd as decimal(28, 6)) as closing_arr_usd,
        opening_account_count,
        paying_account_count,
        churned_account_count,
        account_then_count,
        net_revenue_retention_rate,
        gross_revenue_retention_rate,
        constant_net_revenue_retention_rate,
        constant_gross_revenue_retention_rate,
        logo_retention_rate,
        revenue_churn_rate,
        logo_churn_rate,
        quick_ratio,
        cast(arpa_usd as decimal(28, 6)) as arpa_usd,
        cast(
            arpa_usd * {{ var('gross_margin_rate') }} / nullif(trailing_revenue_churn_rate, 0)
            as decimal(28, 6)
        ) as ltv_usd

    from rates

)

select * from final
