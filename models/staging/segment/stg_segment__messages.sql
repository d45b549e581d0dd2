{#-
    The only pass over the raw JSON. A run takes the loads that came or went, as macros/incremental.sql explains,
    and selects again among the deliveries of every message in them, sorting only those of messages that have
    several. The raw table is read by its name, because DuckDB materializes a CTE that is read more than once.
-#}
{{ config(
    materialized='incremental',
    unique_key='message_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('segment', 'messages')) }}){% endif %}",
) }}

{%- set content_digest, quote = 'md5(' ~ segment_content() ~ ')', adapter.quote('')[:1] %}
{%- set context_fields = {
    'groupId': 'string', 'userAgent': 'string', 'library': {'name': 'string'},
    'os': {'name': 'string'}, 'device': {'type': 'string'}, 'traits': 'json',
} %}
{%- do context_fields.update(segment_touch_fields()['context']) %}
{%- set property_fields = {}.fromkeys(['file_type', 'error_code'] + var('document_id_properties')
    + var('tool_properties'), 'string') %}
{%- do property_fields.update({}.fromkeys(['pages', 'size_bytes', 'duration_ms'], 'bigint')) %}
{%- set first_of = 'coalesce(nullif(trim(property_fields.QNAMESQ), \'\'))'.replace('Q', quote) %}
{%- set next_name = 'Q), \'\'), nullif(trim(property_fields.Q'.replace('Q', quote) %}
{%- set document_id = first_of.replace('NAMES', var('document_id_properties') | join(next_name)) %}
{#- An id unless it is a placeholder, "null" (which dbt reads as no value in a seed) or zeros. -#}
{%- set known_id = "case
            when regexp_extract(ID, '[^0 \t\r\n\f-]', 0) != '' and lower(trim(ID)) not in (
                select coalesce(placeholders.placeholder_id, 'null') from " ~ ref('placeholder_ids') ~ " as placeholders
            ) and lower(trim(ID)) != 'null' then ID
        end" %}
{%- set columns = ['type', 'userid', 'anonymousid', 'previousid', 'groupid', 'event', 'name'] + [
    'context', 'properties', 'traits', 'originaltimestamp', 'sentat', 'receivedat', 'timestamp',
    '_extracted_at', '_batch_id', '_loaded_at',
] %}
{%- set other_columns = ['messageid', 'category', '_source_file', '_source_row'] %}
{#- What a call other than a group call has in its context are traits of its user. -#}
{%- set traits = "case when one_per_message.type in ('group', 'alias') then one_per_message.traits
            else coalesce(one_per_message.traits, (context_fields).traits) end" %}
{%- set new_line, first_plausible_at = ',\n        ', "cast('1990-01-01' as timestamp)" %}
{%- set deliveries = 'touched_deliveries' if is_incremental() else source('segment', 'messages') %}

with

{%- if is_incremental() %}

touched as (

    select coalesce(nullif(messageid, ''), {{ content_digest }}) as message_id
    from {{ source('segment', 'messages') }}
    where _loaded_at in ({{ loads_only_in(source('segment', 'messages'), this) }})
    union distinct
    select message_id
    from {{ this }}
    where _loaded_at in ({{ loads_only_in(this, source('segment', 'messages')) }})

),

-- From a list, so that the engine expects few ids and looks them up in the raw table, not the
-- reverse; then by time of receipt, so that it reads all columns only of messages from that time.
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

    select
        messages.{{ (columns + other_columns) | join(new_line ~ 'messages.') }}
    from {{ source('segment', 'messages') }} as messages
    inner join touched_instants
        on
            messages.messageid = touched_instants.messageid
            and messages.receivedat = touched_instants.receivedat
    union all
    select
        {{ (columns + other_columns) | join(new_line) }}
    from {{ source('segment', 'messages') }}
    where
        receivedat is null
        and messageid in (select touched_ids.message_id from touched_ids)
    union all
    select
        {{ (columns + other_columns) | join(new_line) }}
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

one_per_message as (

    select
        messageid as message_id,
        {{ columns | join(new_line) }}
    from {{ deliveries }}
    where
        messageid != ''
        and messageid not in (select repeated_ids.message_id from repeated_ids)

    union all

    select
        coalesce(nullif(messageid, ''), {{ content_digest }}) as message_id,
        {{ columns | join(new_line) }}
    from {{ deliveries }}
    where
        coalesce(messageid, '') = ''
        or messageid in (select repeated_ids.message_id from repeated_ids)
    qualify
        row_number() over (
            partition by message_id
            order by
                receivedat nulls last,
                {{ content_digest }},
                _batch_id,
                _source_file,
                _source_row
        ) = 1

),

with_fields as (

    select
        one_per_message.message_id,
        one_per_message.{{ columns | join(new_line ~ 'one_per_message.') }},
        {{ json_fields('one_per_message.context', context_fields) }} as context_fields,
        {{ json_fields(
            'one_per_message.properties', dict(segment_touch_fields()['properties'], **property_fields)
        ) }} as property_fields,
        {{ json_texts(traits) }} as trait_texts,
        one_per_message.receivedat
        - (one_per_message.sentat - one_per_message.originaltimestamp) as corrected_at
    from one_per_message
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            one_per_message.message_id = known.message_id
            and one_per_message._loaded_at = known._loaded_at
    where known.message_id is null
    {%- endif %}

),

final as (

    select
        message_id,
        {{ known_id.replace('ID', 'userid') }} as user_id,
        {{ known_id.replace('ID', 'anonymousid') }} as anonymous_id,
        {{ known_id.replace('ID', 'previousid') }} as previous_id,
        coalesce({{ known_id.replace('ID', 'groupid') }}, {{
            known_id.replace('ID', 'context_fields.groupid') }}) as workspace_id,

        type as message_type,
        event as event_name,
        name as page_name,
        coalesce(
            nullif(context_fields.page.path, ''),
            case when type in ('page', 'screen') then nullif(property_fields.path, '') end,
            {{ url_path('context_fields.page.url') }},
            case when type in ('page', 'screen') then {{ url_path('property_fields.url') }} end
        ) as page_path,
        {{ segment_touch('type', 'context_fields', 'property_fields') }} as touch,
        context_fields.useragent as user_agent,
        context_fields.library.name as library_name,
        context_fields.os.name as os_name,
        context_fields.device.type as device_type,

        {{ known_id.replace('ID', document_id) }} as document_id,
        {{ first_of.replace('NAMES', var('tool_properties') | join(next_name)) }} as tool_key,
        property_fields.file_type,
        property_fields.error_code,
        property_fields.pages as page_count,
        property_fields.size_bytes as file_size_bytes,
        property_fields.duration_ms,
        {{ json_without('properties', property_fields) }} as other_properties,
        {{ segment_traits('trait_texts') }} as traits,

        coalesce(
            case when timestamp >= {{ first_plausible_at }} then timestamp end,
            case when corrected_at >= {{ first_plausible_at }} then corrected_at end,
            case when originaltimestamp >= {{ first_plausible_at }} then originaltimestamp end,
            coalesce(receivedat, sentat, _extracted_at)
        ) as occurred_at,
        coalesce(receivedat, _extracted_at) as received_at,

        _batch_id,
        _loaded_at,
        {{ built_at() }} as _built_at

    from with_fields

)

select * from final
