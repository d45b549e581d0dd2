-- Does the pipeline due in a quarter cover its quota as it begins, and is the quota reached?
-- Coverage of 3 is a usual goal: one deal in three is won. Deals found and won inside the quarter
-- are in bookings without having been in the pipeline.
with

fct_sales_rep_monthly as (

    select
        *,
        cast(date_trunc('quarter', sales_month) as date) as quarter_start_date

    from {{ ref('fct_sales_rep_monthly') }}
    where quarter_quota_usd is not null

),

quarters as (

    select
        quarter_start_date,
        sum(quarter_quota_usd) filter (where sales_month = quarter_start_date) as quota_usd,
        sum(due_pipeline_usd) filter (where sales_month = quarter_start_date) as due_pipeline_usd,
        sum(bookings_usd) as bookings_usd

    from fct_sales_rep_monthly
    group by quarter_start_date

),

final as (

    select
        quarter_start_date,
        quota_usd,
        due_pipeline_usd,
        due_pipeline_usd / nullif(quota_usd, 0) as coverage_ratio,
        bookings_usd,
        bookings_usd / nullif(quota_usd, 0) as quota_attainment_rate

    from quarters

)

select * from final
order by quarter_start_date
