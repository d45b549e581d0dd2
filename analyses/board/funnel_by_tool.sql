-- With which tools do documents come from upload to download, over the last 90 days?
with

fct_product_kpis_daily as (

    select * from {{ ref('fct_product_kpis_daily') }}

),

dim_features as (

    select * from {{ ref('dim_features') }}

),

last_day as (

    select max(kpi_date) as kpi_date
    from fct_product_kpis_daily

),

final as (

    select
        coalesce(
            dim_features.feature_name,
            nullif(fct_product_kpis_daily.tool_key, '(none)'),
            'No tool was used'
        ) as tool_name,
        sum(fct_product_kpis_daily.uploaded_document_count) as uploaded_count,
        sum(fct_product_kpis_daily.processed_document_count) as processed_within_a_day_count,
        sum(fct_product_kpis_daily.converted_document_count) as downloaded_within_a_day_count,
        {{ ratio(
            'sum(fct_product_kpis_daily.converted_document_count)',
            'sum(fct_product_kpis_daily.uploaded_document_count)'
        ) }} as conversion_rate,
        {{ ratio(
            'sum(fct_product_kpis_daily.processed_count)',
            'sum(fct_product_kpis_daily.processed_count + fct_product_kpis_daily.failed_count)'
        ) }} as success_rate

    from fct_product_kpis_daily
    cross join last_day
    left join dim_features
        on fct_product_kpis_daily.tool_key = dim_features.tool_key
    where fct_product_kpis_daily.kpi_date > {{ dbt.dateadd('day', -90, 'last_day.kpi_date') }}
    group by tool_name

)

select * from final
order by
    conversion_rate desc nulls last,
    tool_name asc
