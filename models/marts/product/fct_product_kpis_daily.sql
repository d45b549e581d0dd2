with

fct_events as (

    select * from {{ ref('fct_events') }}

),

dim_documents as (

    select * from {{ ref('dim_documents') }}

),

fct_document_funnel as (

    select * from {{ ref('fct_document_funnel') }}

),

fct_funnel_steps as (

    select * from {{ ref('fct_funnel_steps') }}

),

funnels as (

    select * from {{ ref('funnels') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

main_funnel as (

    select
        funnel_key,
        max(window_hours) as window_hours,
        bool_and(followed_by = 'document') as is_of_documents

    from funnels
    where funnel_key = '{{ var("main_funnel") }}'
    group by funnel_key

),

document_tools as (

    select
        document_id,
        tool_key
    from dim_documents

),

document_events as (

    select
        occurred_date,
        document_id,
        tool_key,
        document_action

    from fct_events
    where
        document_action in ('begin', 'process', 'fail', 'finish')
        and is_counted

),

events as (

    select
        document_events.occurred_date as kpi_date,
        coalesce(document_events.tool_key, document_tools.tool_key, '(none)') as tool_key,
        document_events.document_action

    from document_events
    left join document_tools
        on document_events.document_id = document_tools.document_id

),

-- Events count on the day of the event, documents on the day of their upload. A main funnel that
-- follows sessions or people counts these in the place of documents.
measured as (

    select
        kpi_date,
        tool_key,
        count(*) filter (where document_action = 'begin') as upload_count,
        count(*) filter (where document_action = 'process') as processed_count,
        count(*) filter (where document_action = 'fail') as failed_count,
        count(*) filter (where document_action = 'finish') as download_count,
        0 as uploaded_document_count,
        0 as processed_document_count,
        0 as converted_document_count

    from events
    group by
        kpi_date,
        tool_key

    union all

    select
        uploaded_date as kpi_date,
        coalesce(tool_key, '(none)') as tool_key,
        0 as upload_count,
        0 as processed_count,
        0 as failed_count,
        0 as download_count,
        count(*) as uploaded_document_count,
        count(*) filter (where is_processed) as processed_document_count,
        count(*) filter (where is_downloaded) as converted_document_count

    from fct_document_funnel
    where true in (select main_funnel.is_of_documents from main_funnel)
    group by
        uploaded_date,
        tool_key

    union all

    select
        fct_funnel_steps.started_date as kpi_date,
        coalesce(fct_funnel_steps.tool_key, '(none)') as tool_key,
        0 as upload_count,
        0 as processed_count,
        0 as failed_count,
        0 as download_count,
        count(*) filter (where fct_funnel_steps.step_number = 1) as uploaded_document_count,
        count(*) filter (where fct_funnel_steps.step_number = 2) as processed_document_count,
        count(*) filter (where fct_funnel_steps.is_last_step) as converted_document_count

    from fct_funnel_steps
    inner join main_funnel
        on
            fct_funnel_steps.funnel_key = main_funnel.funnel_key
            and not main_funnel.is_of_documents
    group by
        kpi_date,
        fct_funnel_steps.tool_key

),

summed as (

    select
        kpi_date,
        tool_key,
        cast(sum(upload_count) as integer) as upload_count,
        cast(sum(processed_count) as integer) as processed_count,
        cast(sum(failed_count) as integer) as failed_count,
        cast(sum(download_count) as integer) as download_count,
        cast(sum(uploaded_document_count) as integer) as uploaded_document_count,
        cast(sum(processed_document_count) as integer) as processed_document_count,
        cast(sum(converted_document_count) as integer) as converted_document_count

    from measured
    group by
        kpi_date,
        tool_key

),

final as (

    select
        summed.kpi_date,
        summed.tool_key,
        summed.upload_count,
        summed.processed_count,
        summed.failed_count,
        summed.download_count,
        summed.uploaded_document_count,
        summed.processed_document_count,
        summed.converted_document_count,
        {{ ratio('summed.processed_count', 'summed.processed_count + summed.failed_count') }}
            as success_rate,
        {{ ratio('summed.converted_document_count', 'summed.uploaded_document_count') }}
            as conversion_rate,
        coalesce(
            {{ dbt.dateadd('hour', 'main_funnel.window_hours', 'summed.kpi_date') }}
            <= int_as_of.as_of_date,
            false
        ) as is_conversion_final

    from summed
    cross join int_as_of
    cross join main_funnel

)

select * from final
