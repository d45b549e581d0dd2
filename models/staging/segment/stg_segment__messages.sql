-- Of two messages with one id the one received first is kept, whatever batch brought it.
-- Few ids occur twice, so only those are sorted.
{%- set content = json_object({
    'type': 'type',
    'userId': 'userid',
    'anonymousId': 'anonymousid',
    'event': 'event',
    'name': 'name',
    'category': 'category',
    'groupId': 'groupid',
    'previousId': 'previousid',
    'properties': 'properties',
    'traits': 'traits',
    'context': 'context',
    'originalTimestamp': 'originaltimestamp',
    'sentAt': 'sentat',
    'receivedAt': 'receivedat',
    'timestamp': 'timestamp',
}) %}

with

source as (

    select * from {{ source('segment', 'messages') }}

),

identified as (

    select
        *,
        messageid as message_id

    from source
    where messageid != ''

    union all

    select
        *,
        md5(cast({{ content }} as varchar)) as message_id

    from source
    where
        messageid is null
        or messageid = ''

),

repeated_ids as (

    select message_id

    from identified
    group by message_id
    having count(*) > 1

),

delivered_once as (

    select *

    from identified
    where message_id not in (select repeated_ids.message_id from repeated_ids)

),

delivered_first as (

    select *

    from identified
    where message_id in (select repeated_ids.message_id from repeated_ids)
    qualify
        row_number() over (
            partition by message_id
            order by
                receivedat,
                md5(cast({{ content }} as varchar)),
                _batch_id,
                _source_file,
                _source_row
        ) = 1

),

one_per_message as (

    select * from delivered_once

    union all

    select * from delivered_first

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
