{#-
    Checksums read every id, so a run counts again only the days of a load whose messages changed, as
    macros/incremental.sql explains: the table lacks their `state_key`. Raw and staging are counted
    each from its own rows, so that one checks the other.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='changed_rows',
    unique_key='layer',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at not in (
        select distinct _loaded_at from {{ source('segment', 'messages') }}){% endif %}",
) }}

{%- set layers = {
    'raw': {
        'relation': source('segment', 'messages'),
        'id': 'messageid', 'received_at': 'receivedat', 'built_at': '_loaded_at',
    },
    'staging': {
        'relation': ref('stg_segment__messages'),
        'id': 'message_id', 'received_at': 'received_at', 'built_at': '_built_at',
    },
} %}
{%- set no_date = "cast('0001-01-01' as date)" %}

with

observed as (

    {% for layer, rules in layers.items() -%}
    select
        '{{ layer }}' as layer,
        _loaded_at,
        cast({{ rules.received_at }} as date) as received_date,
        count(*) as message_count,
        max({{ rules.built_at }}) as newest_built_at

    from {{ rules.relation }}
    group by
        _loaded_at,
        received_date
    {%- if not loop.last %}

    union all

    {% endif -%}
    {%- endfor %}

),

states as (

    select
        {{ row_digest([
            'layer', '_loaded_at', 'received_date', 'message_count', 'newest_built_at'
        ]) }} as state_key,
        layer,
        _loaded_at,
        received_date

    from observed

),

touched as (

    select
        state_key,
        layer,
        _loaded_at,
        received_date

    from states
    {%- if is_incremental() %}
    where state_key not in (select known.state_key from {{ this }} as known)
    {%- endif %}

),

final as (

    {% for layer, rules in layers.items() -%}
    select
        touched.state_key,
        touched.layer,
        messages._batch_id,
        touched._loaded_at,
        touched.received_date,
        count(*) as message_count,
        cast(
            coalesce(sum({{ id_checksum('messages.' ~ rules.id) }}), 0) as decimal(38, 0)
        ) as id_checksum

    from {{ rules.relation }} as messages
    inner join touched
        on
            touched.layer = '{{ layer }}'
            and messages._loaded_at = touched._loaded_at
            and coalesce(cast(messages.{{ rules.received_at }} as date), {{ no_date }})
            = coalesce(touched.received_date, {{ no_date }})
    group by
        touched.state_key,
        touched.layer,
        messages._batch_id,
        touched._loaded_at,
        touched.received_date
    {%- if not loop.last %}

    union all

    {% endif -%}
    {%- endfor %}

    {%- if is_incremental() %}

    union all

    select
        known.state_key,
        known.layer,
        known._batch_id,
        known._loaded_at,
        known.received_date,
        known.message_count,
        known.id_checksum

    from {{ this }} as known
    inner join states
        on known.state_key = states.state_key
    {%- endif %}

)

select * from final
