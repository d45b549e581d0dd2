{#-
    What staging keeps of messages and webhook events: the first delivery. Every raw row has its fate
    here, worked out from raw alone. Few ids occur twice, so only those are ranked and compared.
-#}
{%- set loading = ['_batch_id', '_extracted_at', '_loaded_at', '_source_file', '_source_row'] -%}

with

repeated_messages as (

    select messageid
    from {{ source('segment', 'messages') }}
    where messageid != ''
    group by messageid
    having count(*) > 1

),

single_messages as (

    select
        {{ id_checksum('messageid') }} as record_checksum,
        _batch_id

    from {{ source('segment', 'messages') }}
    where
        messageid != ''
        and messageid not in (select repeated_messages.messageid from repeated_messages)

),

doubtful_messages as (

    select
        messageid as sent_id,
        case when messageid != '' then messageid else md5({{ segment_content() }}) end as record_id,
        receivedat as delivered_at,
        md5({{ segment_content() }}) as whole,
        md5({{ segment_content(without=['sentAt', 'receivedAt', 'timestamp']) }}) as content,
        _batch_id,
        _source_file,
        _source_row

    from {{ source('segment', 'messages') }}
    where
        messageid is null
        or messageid = ''
        or messageid in (select repeated_messages.messageid from repeated_messages)

),

repeated_events as (

    select id
    from {{ source('stripe', 'events') }}
    group by id
    having count(*) > 1

),

single_events as (

    select
        {{ id_checksum('id') }} as record_checksum,
        coalesce(livemode, true)
        and coalesce(cast({{ json_string('data', 'object.livemode') }} as boolean), true)
            as is_live,
        _batch_id

    from {{ source('stripe', 'events') }}
    where id not in (select repeated_events.id from repeated_events)

),

doubtful_events as (

    select
        id as sent_id,
        id as record_id,
        coalesce(livemode, true)
        and coalesce(cast({{ json_string('data', 'object.livemode') }} as boolean), true)
            as is_live,
        _extracted_at as delivered_at,
        md5({{ json_without('to_json(raw_event)', loading) }}) as content,
        _batch_id,
        _source_file,
        _source_row

    from {{ source('stripe', 'events') }} as raw_event  -- noqa: AL05
    where id in (select repeated_events.id from repeated_events)

),

ranked as (

    select
        'segment' as source_system,
        'messages' as object_name,
        sent_id,
        record_id,
        true as is_live,
        content,
        row_number() over first_received as delivery_number,
        first_value(content) over first_received as first_content,
        _batch_id

    from doubtful_messages
    window
        first_received as (
            partition by record_id
            order by delivered_at nulls last, whole, _batch_id, _source_file, _source_row
        )

    union all

    select
        'stripe' as source_system,
        'events' as object_name,
        sent_id,
        record_id,
        is_live,
        content,
        row_number() over first_extracted as delivery_number,
        first_value(content) over first_extracted as first_content,
        _batch_id

    from doubtful_events
    window
        first_extracted as (
            partition by record_id
            order by delivered_at, _batch_id, _source_file, _source_row
        )

),

final as (

    select
        'segment' as source_system,
        'messages' as object_name,
        'staged' as fate,
        record_checksum as sent_checksum,
        record_checksum,
        _batch_id

    from single_messages

    union all

    select
        'stripe' as source_system,
        'events' as object_name,
        case when is_live then 'staged' else 'test_mode' end as fate,
        record_checksum as sent_checksum,
        record_checksum,
        _batch_id

    from single_events

    union all

    select
        source_system,
        object_name,
        case
            when not is_live then 'test_mode'
            when delivery_number = 1 then 'staged'
            when content = first_content then 'duplicate'
            else 'superseded'
        end as fate,
        {{ id_checksum('sent_id') }} as sent_checksum,
        {{ id_checksum('record_id') }} as record_checksum,
        _batch_id

    from ranked

)

select * from final
