{#-
    Classifies raw rows from raw alone, so that staging is compared with an independent result. Both
    vendors send at least once, and staging must show the first copy. Few ids occur twice, so only
    those are ranked and compared.
-#}
{%- set is_staged_kind -%}
    coalesce(
            type like 'customer.subscription.%'
            or type like 'customer.discount.%'
            or type in ('customer.created', 'customer.updated', 'customer.deleted')
            or split_part(type, '.', 1) in ('coupon', 'plan', 'price', 'product'),
            false
        )
{%- endset -%}
{%- set loading = ['_batch_id', '_extracted_at', '_loaded_at', '_source_file', '_source_row'] -%}

with

repeated_message_ids as (

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
        and messageid not in (select repeated_message_ids.messageid from repeated_message_ids)

),

-- A message without an id is identified by its content.
compared_messages as (

    select
        messageid as exported_id,
        case when messageid != '' then messageid else md5({{ segment_content() }}) end as record_id,
        receivedat as received_at,
        md5({{ segment_content() }}) as full_content,
        md5({{ segment_content(without=['sentAt', 'receivedAt', 'timestamp']) }}) as content,
        _batch_id,
        _source_file,
        _source_row

    from {{ source('segment', 'messages') }}
    where
        messageid is null
        or messageid = ''
        or messageid in (select repeated_message_ids.messageid from repeated_message_ids)

),

repeated_event_ids as (

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
        {{ is_staged_kind }} as is_staged_kind,
        _batch_id

    from {{ source('stripe', 'events') }}
    where id not in (select repeated_event_ids.id from repeated_event_ids)

),

compared_events as (

    select
        id as exported_id,
        id as record_id,
        coalesce(livemode, true)
        and coalesce(cast({{ json_string('data', 'object.livemode') }} as boolean), true)
            as is_live,
        {{ is_staged_kind }} as is_staged_kind,
        _extracted_at as received_at,
        md5({{ json_without('to_json(raw_event)', loading) }}) as content,
        _batch_id,
        _source_file,
        _source_row

    from {{ source('stripe', 'events') }} as raw_event  -- noqa: AL05
    where id in (select repeated_event_ids.id from repeated_event_ids)

),

ranked as (

    select
        'segment' as source_system,
        'messages' as object_name,
        exported_id,
        record_id,
        true as is_live,
        true as is_staged_kind,
        content,
        row_number() over first_received as copy_number,
        first_value(content) over first_received as first_content,
        _batch_id

    from compared_messages
    window
        first_received as (
            partition by record_id
            order by received_at nulls last, full_content, _batch_id, _source_file, _source_row
        )

    union all

    select
        'stripe' as source_system,
        'events' as object_name,
        exported_id,
        record_id,
        is_live,
        is_staged_kind,
        content,
        row_number() over first_extracted as copy_number,
        first_value(content) over first_extracted as first_content,
        _batch_id

    from compared_events
    window
        first_extracted as (
            partition by record_id
            order by received_at, _batch_id, _source_file, _source_row
        )

),

final as (

    select
        'segment' as source_system,
        'messages' as object_name,
        'staged' as row_outcome,
        record_checksum as exported_checksum,
        record_checksum,
        _batch_id

    from single_messages

    union all

    select
        'stripe' as source_system,
        'events' as object_name,
        case
            when not is_live then 'test_mode'
            when is_staged_kind then 'staged'
            else 'elsewhere'
        end as row_outcome,
        record_checksum as exported_checksum,
        record_checksum,
        _batch_id

    from single_events

    union all

    select
        source_system,
        object_name,
        case
            when not is_live then 'test_mode'
            when not is_staged_kind then 'elsewhere'
            when copy_number = 1 then 'staged'
            when content = first_content then 'duplicate'
            else 'superseded'
        end as row_outcome,
        {{ id_checksum('exported_id') }} as exported_checksum,
        {{ id_checksum('record_id') }} as record_checksum,
        _batch_id

    from ranked

)

select * from final
