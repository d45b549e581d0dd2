{#-
    Events about discounts are few among many, so a run reads only the loads that were added or removed,
    as macros/incremental.sql explains.
-#}
{%- set raw_events, is_discount = source('stripe', 'events'), "type like 'customer.discount.%'" %}
{{ config(
    materialized='incremental',
    unique_key='event_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('stripe', 'events')) }}){% endif %}",
) }}

with

first_deliveries as (

    select
        id,
        type,
        livemode,
        data,
        created,
        _batch_id,
        _extracted_at,
        _loaded_at

    from {{ raw_events }}
    where
        {{ is_discount }}
        and {{ is_in_changed_loads(raw_events, is_discount, 'event_id') }}
    qualify
        row_number() over (
            partition by id order by _extracted_at, _batch_id, _source_file, _source_row
        ) = 1

),

final as (

    select
        id as event_id,
        type as event_type,
        {{ stripe_discount(json_value('data', 'object')) }} as discount,
        {{ from_epoch('created') }} as occurred_at,
        _batch_id,
        _extracted_at,
        _loaded_at

    from first_deliveries
    where
        coalesce(livemode, true)
        and coalesce(cast({{ json_string('data', 'object.livemode') }} as boolean), true)

)

select * from final
