-- Which stage do the documents of each month reach within a day of their upload?
with

fct_product_kpis_daily as (

    select * from {{ ref('fct_product_kpis_daily') }}

),

final as (

    select
        {{ month_start('kpi_date') }} as uploaded_month,
        sum(uploaded_document_count) as uploaded_count,
        sum(processed_document_count) as processed_count,
        sum(converted_document_count) as downloaded_count,
        {{ ratio('sum(processed_document_count)', 'sum(uploaded_document_count)') }}
            as processed_rate,
        {{ ratio('sum(converted_document_count)', 'sum(processed_document_count)') }}
            as processed_to_downloaded_rate,
        {{ ratio('sum(converted_document_count)', 'sum(uploaded_document_count)') }}
            as conversion_rate

    from fct_product_kpis_daily
    where is_conversion_final
    group by uploaded_month
    having sum(uploaded_document_count) > 0

)

select * from final
order by uploaded_month
