-- How much of last year's revenue is still here, in each segment?
with

fct_revenue_retention_monthly as (

    select * from {{ ref('fct_revenue_retention_monthly') }}

),

last_month as (

    select max(mrr_month) as mrr_month
    from fct_revenue_retention_monthly
    where is_month_closed

),

final as (

    select
        fct_revenue_retention_monthly.segment,
        fct_revenue_retention_monthly.mrr_month,
        fct_revenue_retention_monthly.paying_account_count,
        fct_revenue_retention_monthly.closing_arr_usd,
        fct_revenue_retention_monthly.net_revenue_retention_rate,
        fct_revenue_retention_monthly.gross_revenue_retention_rate,
        fct_revenue_retention_monthly.logo_retention_rate

    from fct_revenue_retention_monthly
    inner join last_month
        on fct_revenue_retention_monthly.mrr_month = last_month.mrr_month

)

select * from final
order by
    closing_arr_usd desc,
    segment asc
