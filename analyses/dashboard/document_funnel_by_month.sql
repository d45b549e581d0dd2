-- How far do documents come within a day of their upload, and how long does it take?
with

fct_document_funnel as (

    select * from {{ ref('fct_document_funnel') }}

),

final as (

    select
        {{ month_start('uploaded_date') }} as uploaded_month,
        count(*) as uploaded_count,
        count(*) filter (where is_processed) as processed_count,
        count(*) filter (where is_downloaded) as downloaded_count,
        count(*) filter (where last_step = 'failed') as lost_to_failure_count,
        count(*) filter (where is_processed) / count(*) as processed_rate,
        count(*) filter (where is_downloaded)
        / nullif(count(*) filter (where is_processed), 0) as processed_to_downloaded_rate,
        count(*) filter (where is_downloaded) / count(*) as conversion_rate,
        avg(seconds_to_downloaded) / 60 as average_minutes_to_downloaded

    from fct_document_funnel
    where is_window_closed
    group by uploaded_month

)

select * from final
order by uploaded_month
