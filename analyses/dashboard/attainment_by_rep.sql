-- How much of the quarter's quota has each representative booked so far?
with

fct_sales_rep_monthly as (

    select * from {{ ref('fct_sales_rep_monthly') }}

),

dim_sales_reps as (

    select * from {{ ref('dim_sales_reps') }}

),

final as (

    select
        fct_sales_rep_monthly.sales_month,
        fct_sales_rep_monthly.sales_rep_id,
        dim_sales_reps.sales_rep_name,
        fct_sales_rep_monthly.fiscal_quarter_start_date,
        fct_sales_rep_monthly.quarter_bookings_usd,
        fct_sales_rep_monthly.quarter_quota_usd,
        fct_sales_rep_monthly.open_pipeline_usd,
        fct_sales_rep_monthly.won_count,
        fct_sales_rep_monthly.won_count + fct_sales_rep_monthly.lost_count as closed_count

    from fct_sales_rep_monthly
    left join dim_sales_reps
        on fct_sales_rep_monthly.sales_rep_id = dim_sales_reps.sales_rep_id
    where
        fct_sales_rep_monthly.is_month_closed
        and fct_sales_rep_monthly.quarter_quota_usd > 0

)

select * from final
order by
    sales_month,
    sales_rep_id
