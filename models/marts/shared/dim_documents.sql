{#-
    A run describes again the documents with an event that is newer than their row, or with another
    number of events, as macros/incremental.sql explains. Events are read by their table's name, because
    DuckDB materializes a CTE that is read more than once.
-#}
{{ config(
    materialized='incremental',
    unique_key='document_id',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where document_id not in (
        select document_id from {{ ref('fct_events') }} where document_id is not null){% endif %}",
) }}

with

{% if is_incremental() -%}
documents_observed as (

    select
        document_id,
        count(*) as event_count,
        max(_built_at) as newest_built_at

    from {{ ref('fct_events') }}
    where document_id is not null
    group by document_id

),

documents_touched as (

    select documents_observed.document_id

    from documents_observed
    left join {{ this }} as known
        on
            documents_observed.document_id = known.document_id
            and documents_observed.event_count = known.event_count
            and documents_observed.newest_built_at <= known._built_at
    where known.document_id is null

),
{%- endif %}

-- An event dated a day or more ahead of its receipt comes from a wrong clock; its time is not used.
events as (

    select
        document_id,
        event_id,
        document_action,
        tool_key,
        occurred_at,
        is_counted,
        cast(occurred_at as date) > cast(received_at as date) as is_dated_ahead

    from {{ ref('fct_events') }}
    {%- if is_incremental() %}
    where document_id in (select documents_touched.document_id from documents_touched)
    {%- else %}
    where document_id is not null
    {%- endif %}

),

-- The first upload describes a document, else its first event. An event that metrics leave out
-- describes it only where none counts; otherwise the customer's document would be left out with it.
activity as (

    select
        document_id,
        count(*) as event_count,
        min_by(
            event_id,
            (
                document_action is distinct from 'begin',
                not is_counted,
                is_dated_ahead,
                occurred_at,
                event_id
            )
        ) as describing_event_id,
        min_by(tool_key, (is_dated_ahead, occurred_at, event_id)) filter (
            where tool_key is not null
        ) as tool_key,
        coalesce(
            min(occurred_at) filter (where document_action = 'begin' and is_counted),
            min(occurred_at) filter (where document_action = 'begin' and not is_dated_ahead)
        ) as uploaded_at,
        min(occurred_at) filter (where not is_dated_ahead) as first_event_at,
        max(occurred_at) filter (where not is_dated_ahead) as last_event_at,
        count(*) filter (where document_action = 'process') as processed_count,
        count(*) filter (where document_action = 'fail') as failed_count,
        count(*) filter (where document_action = 'finish') as download_count,
        count(*) filter (where document_action = 'share') as share_count

    from events
    group by document_id

),

final as (

    select
        activity.document_id,
        fct_events.user_id,
        fct_events.workspace_id,
        fct_events.account_id,
        fct_events.file_type,
        activity.tool_key,
        fct_events.page_count,
        fct_events.file_size_bytes,
        cast(activity.event_count as integer) as event_count,
        cast(activity.processed_count as integer) as processed_count,
        cast(activity.failed_count as integer) as failed_count,
        cast(activity.download_count as integer) as download_count,
        cast(activity.share_count as integer) as share_count,
        fct_events.is_bot,
        fct_events.is_internal,
        fct_events.is_test,
        fct_events.is_counted,
        activity.uploaded_at,
        activity.first_event_at,
        activity.last_event_at,
        {{ built_at() }} as _built_at

    from activity
    inner join {{ ref('fct_events') }} as fct_events
        on activity.describing_event_id = fct_events.event_id

)

select * from final
