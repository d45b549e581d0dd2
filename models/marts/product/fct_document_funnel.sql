with

dim_documents as (

    select * from {{ ref('dim_documents') }}

),

fct_events as (

    select * from {{ ref('fct_events') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

uploads as (

    select
        document_id,
        user_id,
        account_id,
        tool_key,
        file_type,
        uploaded_at,
        {{ dbt.dateadd('day', 1, 'uploaded_at') }} as window_end_at

    from dim_documents
    where uploaded_at is not null and is_counted

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
        coalesce(uploads.window_end_at <= int_as_of.as_of_at, false) as is_window_closed,
        cast(uploads.uploaded_at as date) as uploaded_date,
        uploads.uploaded_at,
        attempts.processed_at,
        downloads.downloaded_at,
        {{ seconds_between('uploads.uploaded_at', 'attempts.processed_at') }}
            as seconds_to_processed,
        {{ seconds_between('uploads.uploaded_at', 'downloads.downloaded_at') }}
            as seconds_to_downloaded

    from uploads
    cross join int_as_of
    left join attempts
        on uploads.document_id = attempts.document_id
    left join downloads
        on uploads.document_id = downloads.document_id

)

select * from final
