-- How does deferred revenue move from the opening to the closing balance of each month?
with

fct_deferred_revenue_monthly as (

    select * from {{ ref('fct_deferred_revenue_monthly') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        fct_deferred_revenue_monthly.deferred_month,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        sum(fct_deferred_revenue_monthly.opening_usd) as opening_usd,
        sum(fct_deferred_revenue_monthly.billed_usd) as billed_usd,
        -sum(fct_deferred_revenue_monthly.recognized_usd) as recognized_usd,
        -sum(fct_deferred_revenue_monthly.reversed_usd) as reversed_usd,
        sum(fct_deferred_revenue_monthly.closing_usd) as closing_usd

    from fct_deferred_revenue_monthly
    left join dim_accounts
        on fct_deferred_revenue_monthly.account_id = dim_accounts.account_id
    where fct_deferred_revenue_monthly.is_month_closed
    group by
        fct_deferred_revenue_monthly.deferred_month,
        coalesce(dim_accounts.segment, 'unknown'),
        coalesce(dim_accounts.region, 'unknown')

)

select * from final
order by
    deferred_month,
    segment,
    region
