-- Which tools are used most, fail most and lead to a download, over the last 90 days?
with

fct_product_kpis_daily as (

    select * from {{ ref('fct_product_kpis_daily') }}

),

dim_features as (

    select * from {{ ref('dim_features') }}

),

last_days as (

    select {{ dbt.dateadd('day', -90, 'max(kpi_date)') }} as first_date
    from fct_product_kpis_daily

),

tools as (

    select
        fct_product_kpis_daily.tool_key,
        sum(fct_product_kpis_daily.processed_count) as processed_count,
        sum(fct_product_kpis_daily.failed_count) as failed_count,
        sum(fct_product_kpis_daily.uploaded_document_count) as document_count,
        sum(fct_product_kpis_daily.converted_document_count) as converted_document_count

    from fct_product_kpis_daily
    cross join last_days
    where fct_product_kpis_daily.kpi_date > last_days.first_date
    group by fct_product_kpis_daily.tool_key

),

final as (

    select
        coalesce(dim_features.feature_name, tools.tool_key) as tool_name,
        tools.processed_count,
        {{ ratio('tools.processed_count', '(tools.processed_count + tools.failed_count)') }}
            as success_rate,
        tools.document_count,
        {{ ratio('tools.document_count', 'sum(tools.document_count) over ()') }}
            as document_share_rate,
        {{ ratio('tools.converted_document_count', 'tools.document_count') }} as conversion_rate

    from tools
    left join dim_features
        on tools.tool_key = dim_features.tool_key

)

select * from final
order by
    processed_count desc,
    tool_name asc
