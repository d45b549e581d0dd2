{#-
    Events about the catalog are few among many, so a run reads only the loads that were added or removed,
    as macros/incremental.sql explains.
-#}
{%- set raw_events = source('stripe', 'events') %}
{%- set is_catalog = "split_part(type, '.', 1) in ('coupon', 'plan', 'price', 'product')" %}
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
        {{ json_value('data', 'object') }} as object,
        created,
        _batch_id,
        _extracted_at,
        _loaded_at

    from {{ raw_events }}
    where
        {{ is_catalog }}
        and {{ is_in_changed_loads(raw_events, is_catalog, 'event_id') }}
    qualify
        row_number() over (
            partition by id order by _extracted_at, _batch_id, _source_file, _source_row
        ) = 1

),

final as (

    select
        id as event_id,
        type as event_type,
        case when type like 'coupon.%' then {{ stripe_coupon('object') }} end as coupon,
        case
            when split_part(type, '.', 1) in ('plan', 'price')
                then {{ stripe_price(json_fields('object', stripe_price_fields())) }}
        end as price,
        case when type like 'product.%' then {{ json_string('object', 'id') }} end as product_id,
        case when type like 'product.%' then {{ json_string('object', 'name') }} end
            as product_name,
        {{ from_epoch('created') }} as occurred_at,
        _batch_id,
        _extracted_at,
        _loaded_at

    from first_deliveries
    where
        coalesce(livemode, true)
        and coalesce(cast({{ json_string('object', 'livemode') }} as boolean), true)

)

select * from final
