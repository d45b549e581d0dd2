with

fct_events as (

    select * from {{ ref('fct_events') }}

),

-- A clock that is wrong by a day or more says nothing about when; see `counted_event`.
events as (

    select
        *,
        cast(occurred_at as date) > cast(received_at as date) as is_dated_ahead

    from fct_events
    where document_id is not null

),

-- What describes a document: its first upload, else the first that is known of it.
describing_events as (

    select
        document_id,
        user_id,
        workspace_id,
        account_id,
        file_type,
        page_count,
        file_size_bytes,
        is_bot,
        is_internal,
        is_test,
        is_counted,
        case
            when event_name = 'Document Uploaded' and not is_dated_ahead then occurred_at
        end as uploaded_at

    from events
    qualify
        row_number() over (
            partition by document_id
            order by
                case when event_name = 'Document Uploaded' then 0 else 1 end,
                is_dated_ahead,
                occurred_at,
                event_id
        ) = 1

),

activity as (

    select
        document_id,
        min_by(tool_key, (is_dated_ahead, occurred_at, event_id)) filter (
            where tool_key is not null
        ) as tool_key,
        min(occurred_at) filter (where not is_dated_ahead) as first_event_at,
        max(occurred_at) filter (where not is_dated_ahead) as last_event_at,
        count(*) filter (where event_name = 'Document Processed') as processed_count,
        count(*) filter (where event_name = 'Document Processing Failed') as failed_count,
        count(*) filter (where event_name = 'Document Downloaded') as download_count,
        count(*) filter (where event_name = 'Document Shared') as share_count

    from events
    group by document_id

),

final as (

    select
        describing_events.document_id,
        describing_events.user_id,
        describing_events.workspace_id,
        describing_events.account_id,
        describing_events.file_type,
        activity.tool_key,
        describing_events.page_count,
        describing_events.file_size_bytes,
        cast(activity.processed_count as integer) as processed_count,
        cast(activity.failed_count as integer) as failed_count,
        cast(activity.download_count as integer) as download_count,
        cast(activity.share_count as integer) as share_count,
        describing_events.is_bot,
        describing_events.is_internal,
        describing_events.is_test,
        describing_events.is_counted,
        describing_events.uploaded_at,
        activity.first_event_at,
        activity.last_event_at

    from describing_events
    inner join activity
        on describing_events.document_id = activity.document_id

)

select * from final
