-- How many documents are uploaded, processed and downloaded per week, and how many succeed?
with

fct_product_kpis_daily as (

    select * from {{ ref('fct_product_kpis_daily') }}

),

dim_dates as (

    select * from {{ ref('dim_dates') }}

),

final as (

    select
        dim_dates.week_start_date,
        sum(fct_product_kpis_daily.upload_count) as upload_count,
        sum(fct_product_kpis_daily.processed_count) as processed_count,
        sum(fct_product_kpis_daily.failed_count) as failed_count,
        sum(fct_product_kpis_daily.download_count) as download_count,
        {{ ratio(
            'sum(fct_product_kpis_daily.processed_count)',
            'sum(fct_product_kpis_daily.processed_count + fct_product_kpis_daily.failed_count)'
        ) }} as success_rate,
        {{ ratio(
            'sum(fct_product_kpis_daily.converted_document_count)',
            'sum(fct_product_kpis_daily.uploaded_document_count)'
        ) }} as conversion_rate,
        bool_and(fct_product_kpis_daily.is_conversion_final) as is_conversion_final

    from fct_product_kpis_daily
    inner join dim_dates
        on fct_product_kpis_daily.kpi_date = dim_dates.calendar_date
    group by dim_dates.week_start_date

)

select * from final
order by week_start_date
