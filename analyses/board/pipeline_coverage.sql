-- Does the pipeline due in a quarter cover its quota as the quarter begins, and is the quota
-- reached? Coverage of 3 is a usual target, since one deal in three is won. Deals that are created
-- and won within the quarter are in bookings but were never in the due pipeline.
with

fct_sales_rep_monthly as (

    select
        sales_month,
        quarter_quota_usd,
        due_pipeline_usd,
        bookings_usd,
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
        {{ ratio('due_pipeline_usd', 'quota_usd') }} as coverage_ratio,
        bookings_usd,
        {{ ratio('bookings_usd', 'quota_usd') }} as quota_attainment_rate

    from quarters

)

select * from final
order by quarter_start_date
