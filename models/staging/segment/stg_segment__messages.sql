{#-
    The only pass over the raw JSON. A run takes the loads that it has not seen yet and takes back
    those that are gone (a batch that was replaced), and asks again which delivery counts of each
    message that either touches. Where it is the one that counted before, its row stays as it was.

    Of two messages with one id the one received first is kept, whatever batch brought it. Few ids
    occur twice, so only those are sorted. A full run names the raw table itself wherever it reads it:
    DuckDB would write out a CTE that is read twice, whole, whatever columns are asked for.
-#}
{{ config(
    materialized='incremental',
    unique_key='message_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('segment', 'messages')) }}){% endif %}",
) }}

{%- set content_digest = 'md5(' ~ segment_content() ~ ')' %}
{%- set context_fields = {
    'groupId': 'string', 'userAgent': 'string', 'library': {'name': 'string'},
    'page': {'path': 'string'}, 'os': {'name': 'string'}, 'device': {'type': 'string'},
} %}
{%- set property_fields = {
    'document_id': 'string', 'tool': 'string', 'file_type': 'string', 'error_code': 'string',
    'pages': 'bigint', 'size_bytes': 'bigint', 'duration_ms': 'bigint',
} %}
{%- set deliveries = 'touched_deliveries' if is_incremental() else source('segment', 'messages') %}

with

{%- if is_incremental() %}

touched as (

    select coalesce(nullif(messageid, ''), {{ content_digest }}) as message_id
    from {{ source('segment', 'messages') }}
    where _loaded_at in ({{ loads_only_in(source('segment', 'messages'), this) }})
    union
    select message_id
    from {{ this }}
    where _loaded_at in ({{ loads_only_in(this, source('segment', 'messages')) }})

),

-- As a list, so that the engine expects few and looks for these in the raw table, not for that in
-- these; and then by when they were received, so that it reads whole only what came about then.
touched_ids as (

    select {{ explode('message_ids') }} as message_id
    from (select array_agg(message_id) as message_ids from touched) as lists

),

touched_instants as (

    select distinct
        messageid,
        receivedat
    from {{ source('segment', 'messages') }}
    where messageid in (select touched_ids.message_id from touched_ids)

),

touched_deliveries as (

    select messages.*
    from {{ source('segment', 'messages') }} as messages
    inner join touched_instants
        on
            messages.messageid = touched_instants.messageid
            and messages.receivedat = touched_instants.receivedat
    union all
    select *
    from {{ source('segment', 'messages') }}
    where
        receivedat is null
        and messageid in (select touched_ids.message_id from touched_ids)
    union all
    select *
    from {{ source('segment', 'messages') }}
    where
        coalesce(messageid, '') = ''
        and {{ content_digest }} in (select touched_ids.message_id from touched_ids)

),
{%- endif %}

repeated_ids as (

    select messageid as message_id
    from {{ deliveries }}
    where messageid != ''
    group by messageid
    having count(*) > 1

),

sent_once as (

    select
        deliveries.*,
        deliveries.messageid as message_id
    from {{ deliveries }} as deliveries
    left join repeated_ids
        on deliveries.messageid = repeated_ids.message_id
    where
        deliveries.messageid != ''
        and repeated_ids.message_id is null

),

sent_again as (

    select
        *,
        messageid as message_id
    from {{ deliveries }}
    where messageid in (select repeated_ids.message_id from repeated_ids)
    qualify
        row_number() over (
            partition by messageid
            order by
                receivedat nulls last,
                {{ content_digest }},
                _batch_id,
                _source_file,
                _source_row
        ) = 1

),

sent_without_id as (

    select
        *,
        {{ content_digest }} as message_id
    from {{ deliveries }}
    where coalesce(messageid, '') = ''
    qualify
        row_number() over (
            partition by {{ content_digest }}
            order by _batch_id, _source_file, _source_row
        ) = 1

),

with_fields as (

    select
        *,
        {{ json_fields('context', context_fields) }} as context_fields,
        {{ json_fields('properties', property_fields) }} as property_fields
    from (
        select * from sent_once
        union all
        select * from sent_again
        union all
        select * from sent_without_id
    ) as one_per_message

),

final as (

    select
        message_id,
        nullif(userid, '') as user_id,
        nullif(anonymousid, '') as anonymous_id,
        nullif(previousid, '') as previous_id,
        coalesce(nullif(groupid, ''), nullif(context_fields.groupid, '')) as workspace_id,

        type as message_type,
        event as event_name,
        name as page_name,
        context_fields.page.path as page_path,
        context_fields.useragent as user_agent,
        context_fields.library.name as library_name,
        context_fields.os.name as os_name,
        context_fields.device.type as device_type,

        nullif(trim(property_fields.document_id), '') as document_id,
        nullif(trim(property_fields.tool), '') as tool_key,
        property_fields.file_type,
        property_fields.error_code,
        property_fields.pages as page_count,
        property_fields.size_bytes as file_size_bytes,
        property_fields.duration_ms,
        {{ json_without('properties', property_fields) }} as other_properties,
        traits,

        coalesce(
            {{ since_1990('timestamp') }},
            {{ since_1990('receivedat - (sentat - originaltimestamp)') }},
            {{ since_1990('originaltimestamp') }},
            receivedat,
            sentat,
            _extracted_at
        ) as occurred_at,
        coalesce(receivedat, _extracted_at) as received_at,

        _batch_id,
        _loaded_at,
        {{ built_at() }} as _built_at

    from with_fields

)

select final.*
from final
{%- if is_incremental() %}
left join {{ this }} as known
    on
        final.message_id = known.message_id
        and final._loaded_at = known._loaded_at
where known.message_id is null
{%- endif %}
