{#-
    The only model that reads all messages for their sender. A run adds the messages loaded since
    the last one. It counts all of them again when a counted message was withdrawn or replaced by
    another delivery.
-#}
{%- set calls = "('identify', 'group', 'alias')" %}
{{ config(
    materialized='incremental',
    unique_key='signal_key',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where _built_at > {{ counted_until(ref('stg_segment__messages')) }}{% endif %}",
) }}

with

messages as (

    select
        anonymous_id,
        user_id,
        workspace_id,
        previous_id,
        traits,
        occurred_at,
        received_at,
        _built_at,
        case when message_type in {{ calls }} then message_type end as call_type,
        case when message_type in {{ calls }} then message_id end as call_message_id

    from {{ ref('stg_segment__messages') }}
    {%- if is_incremental() %}
    where _built_at > {{ counted_until(ref('stg_segment__messages')) }}
    {%- endif %}

),

signals as (

    select
        {{ row_digest([
            'anonymous_id', 'user_id', 'workspace_id', 'call_type', 'previous_id', 'traits'
        ]) }} as signal_key,
        anonymous_id,
        user_id,
        workspace_id,
        call_type,
        previous_id,
        traits,
        min(call_message_id) as call_message_id,
        min(least(occurred_at, received_at)) as first_seen_at,
        max(least(occurred_at, received_at)) as last_seen_at,
        min(cast(occurred_at as date)) as first_occurred_date,
        max(cast(occurred_at as date)) as last_occurred_date,
        count(*) as message_count,
        max(_built_at) as _built_at

    from messages
    group by anonymous_id, user_id, workspace_id, call_type, previous_id, traits

),

{%- set columns -%}
    signal_key,
    anonymous_id,
    user_id,
    workspace_id,
    call_type,
    previous_id,
    traits,
    call_message_id,
    first_seen_at,
    last_seen_at,
    first_occurred_date,
    last_occurred_date,
    message_count,
    _built_at
{%- endset %}

signals_and_known as (

    select {{ columns }}
    from signals
    {%- if is_incremental() %}
    union all
    select {{ columns }}
    from {{ this }}
    where signal_key in (select signals.signal_key from signals)
    {%- endif %}

),

final as (

    select
        signal_key,
        anonymous_id,
        user_id,
        workspace_id,
        call_type,
        previous_id,
        traits,
        min(call_message_id) as call_message_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(first_occurred_date) as first_occurred_date,
        max(last_occurred_date) as last_occurred_date,
        cast(sum(message_count) as bigint) as message_count,
        max(_built_at) as _built_at

    from signals_and_known
    group by signal_key, anonymous_id, user_id, workspace_id, call_type, previous_id, traits

)

select * from final
