{#-
    Of two messages with one id the one received first is kept, whatever batch brought it. Few ids
    occur twice, so only those are sorted. Each CTE is read once and names the raw table itself: DuckDB
    would write out a CTE that is read twice, whole, whatever columns are asked for.
-#}
with

repeated_ids as (

    select messageid as message_id

    from {{ source('segment', 'messages') }}
    where messageid != ''
    group by messageid
    having count(*) > 1

),

superseded_deliveries as (

    select
        _batch_id,
        _source_file,
        _source_row

    from {{ source('segment', 'messages') }}
    where messageid in (select repeated_ids.message_id from repeated_ids)
    qualify
        row_number() over (
            partition by messageid
            order by
                receivedat nulls last,
                md5({{ segment_content() }}),
                _batch_id,
                _source_file,
                _source_row
        ) > 1

),

sent_with_id as (

    select
        messages.*,
        messages.messageid as message_id

    from {{ source('segment', 'messages') }} as messages
    left join superseded_deliveries
        on
            messages._batch_id = superseded_deliveries._batch_id
            and messages._source_file = superseded_deliveries._source_file
            and messages._source_row = superseded_deliveries._source_row
    where
        messages.messageid != ''
        and superseded_deliveries._source_row is null

),

sent_without_id as (

    select
        *,
        md5({{ segment_content() }}) as message_id

    from {{ source('segment', 'messages') }}
    where
        messageid is null
        or messageid = ''
    qualify
        row_number() over (
            partition by md5({{ segment_content() }})
            order by _batch_id, _source_file, _source_row
        ) = 1

),

one_per_message as (

    select * from sent_with_id

    union all

    select * from sent_without_id

),

final as (

    select
        message_id,
        nullif(userid, '') as user_id,
        nullif(anonymousid, '') as anonymous_id,
        nullif(previousid, '') as previous_id,
        coalesce(
            nullif(groupid, ''),
            nullif({{ json_string('context', 'groupId') }}, '')
        ) as workspace_id,
        projectid as segment_source_id,

        type as message_type,
        event as event_name,
        name as page_name,
        category as page_category,
        channel,
        {{ json_string('context', 'userAgent') }} as user_agent,
        {{ json_string('context', 'library.name') }} as library_name,
        {{ json_string('context', 'page.path') }} as page_path,

        properties,
        traits,
        context,

        coalesce(
            timestamp,
            receivedat - (sentat - originaltimestamp),
            originaltimestamp,
            receivedat,
            sentat,
            _extracted_at
        ) as occurred_at,
        coalesce(receivedat, _extracted_at) as received_at,
        originaltimestamp as originally_at,
        sentat as sent_at,

        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from one_per_message

)

select * from final
