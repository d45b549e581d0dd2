-- Does the pipeline due in a quarter cover the quota still to reach, as its last month begins?
-- Coverage of 3 is a usual goal: one deal in three is won.
with

fct_sales_rep_monthly as (

    select * from {{ ref('fct_sales_rep_monthly') }}

),

final as (

    select
        cast(date_trunc('quarter', sales_month) as date) as quarter_start_date,
        sum(quarter_quota_usd) as quota_usd,
        sum(quarter_bookings_usd - bookings_usd) as bookings_before_usd,
        sum(due_pipeline_usd) as due_pipeline_usd,
        sum(due_pipeline_usd)
        / nullif(greatest(sum(quarter_quota_usd - quarter_bookings_usd + bookings_usd), 0), 0)
            as coverage_ratio,
        sum(quarter_bookings_usd) as bookings_usd,
        sum(quarter_bookings_usd) / nullif(sum(quarter_quota_usd), 0) as quota_attainment_rate

    from fct_sales_rep_monthly
    where extract(month from sales_month) in (3, 6, 9, 12)
    group by quarter_start_date

)

select * from final
order by quarter_start_date
