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
{%- set is_live = 'coalesce(livemode, true) and coalesce(cast('
    ~ json_string('data', 'object.livemode') ~ ' as boolean), true)' %}

{%- set first_received = '(partition by record_id'
    ~ ' order by received_at nulls last, full_content, _batch_id, _source_file, _source_row)' -%}
{%- set first_extracted = '(partition by record_id'
    ~ ' order by received_at, _batch_id, _source_file, _source_row)' -%}

with

-- Grouped by digest, which takes half the time of texts; a collision only adds rows to compare.
repeated_messages as (

    select {{ row_digest(['messageid']) }} as message_key
    from {{ source('segment', 'messages') }}
    where messageid != ''
    group by message_key
    having count(*) > 1

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
        coalesce(messageid, '') = ''
        or {{ row_digest(['messageid']) }} in (
            select repeated_messages.message_key from repeated_messages
        )

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
        {{ is_live }} as is_live,
        {{ is_staged_kind }} as is_staged_kind,
        _batch_id

    from {{ source('stripe', 'events') }}
    where id not in (select repeated_event_ids.id from repeated_event_ids)

),

compared_events as (

    select
        id as exported_id,
        id as record_id,
        {{ is_live }} as is_live,
        {{ is_staged_kind }} as is_staged_kind,
        _extracted_at as received_at,
        md5({{ json_without(row_as_json('raw_event'), loading) }}) as content,
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
        row_number() over {{ first_received }} as copy_number,
        first_value(content) over {{ first_received }} as first_content,
        _batch_id

    from compared_messages

    union all

    select
        'stripe' as source_system,
        'events' as object_name,
        exported_id,
        record_id,
        is_live,
        is_staged_kind,
        content,
        row_number() over {{ first_extracted }} as copy_number,
        first_value(content) over {{ first_extracted }} as first_content,
        _batch_id

    from compared_events

),

-- A message whose id occurs once is staged. So every message counts as staged, those compared are
-- taken off again, and their outcomes are added.
outcomes as (

    select
        'segment' as source_system,
        'messages' as object_name,
        'staged' as row_outcome,
        message_count as row_count,
        id_checksum as exported_checksum,
        id_checksum as record_checksum,
        _batch_id
    from {{ ref('int_messages_counted') }}
    where layer = 'raw'

    union all

    select
        'segment' as source_system,
        'messages' as object_name,
        'staged' as row_outcome,
        -1 as row_count,
        -cast({{ id_checksum('exported_id') }} as decimal(38, 0)) as exported_checksum,
        -cast({{ id_checksum('exported_id') }} as decimal(38, 0)) as record_checksum,
        _batch_id
    from compared_messages

    union all

    select
        'stripe' as source_system,
        'events' as object_name,
        case
            when not is_live then 'test_mode'
            when is_staged_kind then 'staged'
            else 'elsewhere'
        end as row_outcome,
        1 as row_count,
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
        1 as row_count,
        {{ id_checksum('exported_id') }} as exported_checksum,
        {{ id_checksum('record_id') }} as record_checksum,
        _batch_id
    from ranked

),

final as (

    select
        _batch_id as batch_id,
        source_system,
        object_name,
        row_outcome,
        cast(sum(row_count) as bigint) as row_count,
        cast(coalesce(sum(exported_checksum), 0) as decimal(38, 0)) as exported_checksum,
        cast(coalesce(sum(record_checksum), 0) as decimal(38, 0)) as record_checksum,
        cast(0 as decimal(38, 9)) as control_amount

    from outcomes
    group by all
    having sum(row_count) != 0

)

select * from final
