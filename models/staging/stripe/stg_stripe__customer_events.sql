{#-
    Events about customers are few among many, so a run reads only the loads that were added or removed,
    as macros/incremental.sql explains.
-#}
{%- set raw_events = source('stripe', 'events') %}
{%- set is_customer = "type in ('customer.created', 'customer.updated', 'customer.deleted')" %}
{{ config(
    materialized='incremental',
    unique_key='event_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('stripe', 'events')) }}){% endif %}",
) }}

{%- set fields = {
    'object': {
        'id': 'string', 'livemode': 'boolean', 'email': 'string', 'name': 'string',
        'metadata': 'json', 'created': 'bigint', 'discount': 'json',
    },
    'previous_attributes': {'discount': 'json'},
} %}

with

first_deliveries as (

    select
        id,
        type,
        livemode,
        {{ json_fields('data', fields) }} as fields,
        created,
        _batch_id,
        _extracted_at,
        _loaded_at

    from {{ raw_events }}
    where
        {{ is_customer }}
        and {{ is_in_changed_loads(raw_events, is_customer, 'event_id') }}
    qualify
        row_number() over (
            partition by id order by _extracted_at, _batch_id, _source_file, _source_row
        ) = 1

),

final as (

    select
        id as event_id,
        fields.object.id as stripe_customer_id,

        type as event_type,
        fields.object.email,
        fields.object.name as customer_name,
        {{ json_first_string('fields.object.metadata', var('salesforce_account_id_fields')) }}
            as salesforce_account_id,
        {{ stripe_discount('fields.object.discount') }} as discount,
        {{ stripe_discount('fields.previous_attributes.discount') }} as previous_discount,

        {{ from_epoch('fields.object.created') }} as created_at,
        {{ from_epoch('created') }} as occurred_at,

        _batch_id,
        _extracted_at,
        _loaded_at

    from first_deliveries
    where coalesce(livemode, true) and coalesce(fields.object.livemode, true)

)

select * from final
