{#-
    A run works over the documents whose row in dim_documents is newer, and over those whose window
    closed or opened with the as-of date. macros/incremental.sql explains the protocol.
-#}
{{ config(
    materialized='incremental',
    unique_key='document_id',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where document_id not in (
        select document_id from {{ ref('dim_documents') }}
        where uploaded_at is not null and is_counted){% endif %}",
) }}

{%- set window_end_at = dbt.dateadd(
    'hour', 'main_funnel.window_hours', 'dim_documents.uploaded_at'
) %}
{%- set is_window_closed = 'coalesce(' ~ window_end_at ~ ' <= int_as_of.as_of_at, false)' %}

with

dim_documents as (

    select * from {{ ref('dim_documents') }}

),

fct_events as (

    select * from {{ ref('fct_events') }}

),

funnels as (

    select * from {{ ref('funnels') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

main_funnel as (

    select max(window_hours) as window_hours
    from funnels
    where funnel_key = '{{ var("main_funnel") }}'

),

uploads as (

    select
        dim_documents.document_id,
        dim_documents.user_id,
        dim_documents.account_id,
        dim_documents.tool_key,
        dim_documents.file_type,
        dim_documents.uploaded_at,
        {{ window_end_at }} as window_end_at,
        {{ is_window_closed }} as is_window_closed

    from dim_documents
    cross join int_as_of
    cross join main_funnel
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            dim_documents.document_id = known.document_id
            and dim_documents._built_at <= known._built_at
            and known.is_window_closed = {{ is_window_closed }}
    {%- endif %}
    where
        dim_documents.uploaded_at is not null
        and dim_documents.is_counted
    {%- if is_incremental() %}
        and known.document_id is null
    {%- endif %}

),

steps as (

    select
        document_id,
        document_action,
        occurred_at

    from fct_events
    where
        document_action in ('process', 'fail', 'finish')
        and is_counted
    {%- if is_incremental() %}
        and document_id in (select uploads.document_id from uploads)
    {%- endif %}

),

attempts as (

    select
        uploads.document_id,
        min(steps.occurred_at) filter (
            where steps.document_action = 'process'
        ) as processed_at,
        count(*) filter (
            where steps.document_action = 'fail'
        ) as failed_count

    from steps
    inner join uploads
        on steps.document_id = uploads.document_id
    where
        steps.document_action in ('process', 'fail')
        and steps.occurred_at between uploads.uploaded_at and uploads.window_end_at
    group by uploads.document_id

),

downloads as (

    select
        uploads.document_id,
        min(steps.occurred_at) as downloaded_at

    from steps
    inner join uploads
        on steps.document_id = uploads.document_id
    inner join attempts
        on steps.document_id = attempts.document_id
    where
        steps.document_action = 'finish'
        and steps.occurred_at between attempts.processed_at and uploads.window_end_at
    group by uploads.document_id

),

final as (

    select
        uploads.document_id,
        uploads.user_id,
        uploads.account_id,
        uploads.tool_key,
        uploads.file_type,
        case
            when downloads.downloaded_at is not null then 'downloaded'
            when attempts.processed_at is not null then 'processed'
            when attempts.failed_count > 0 then 'failed'
            else 'uploaded'
        end as last_step,
        cast(coalesce(attempts.failed_count, 0) as integer) as failed_count,
        attempts.processed_at is not null as is_processed,
        downloads.downloaded_at is not null as is_downloaded,
        uploads.is_window_closed,
        cast(uploads.uploaded_at as date) as uploaded_date,
        uploads.uploaded_at,
        attempts.processed_at,
        downloads.downloaded_at,
        {{ seconds_between('uploads.uploaded_at', 'attempts.processed_at') }}
            as seconds_to_processed,
        {{ seconds_between('uploads.uploaded_at', 'downloads.downloaded_at') }}
            as seconds_to_downloaded,
        {{ built_at() }} as _built_at

    from uploads
    left join attempts
        on uploads.document_id = attempts.document_id
    left join downloads
        on uploads.document_id = downloads.document_id

)

select * from final
