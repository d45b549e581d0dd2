{#-
    The only pass over the whole objects of subscription events. A run reads only the loads that were
    added or removed, as macros/incremental.sql explains. The raw table is read by its name, because
    DuckDB materializes a CTE that is read twice, with all the objects.
-#}
{{ config(
    materialized='incremental',
    unique_key='event_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('stripe', 'events')) }}){% endif %}",
) }}

{%- set raw_events = source('stripe', 'events') %}
{%- set is_chosen = "type like 'customer.subscription.%'" %}
{%- if is_incremental() %}
{%- set is_chosen = is_chosen ~ ' and ' ~ is_in_changed_loads(raw_events, is_chosen, 'event_id') %}
{%- endif %}
{%- set fields = {'object': stripe_subscription_fields()} %}

with

deliveries as (

    select
        id,
        type,
        created,
        livemode,
        data,
        _batch_id,
        _extracted_at,
        _loaded_at,
        _source_file,
        _source_row
    from {{ raw_events }}
    where {{ is_chosen }}

),

-- Stripe sends an event at least once; the first delivery that landed counts.
repeated_copies as (

    select
        id,
        _batch_id,
        _source_file,
        _source_row

    from {{ raw_events }}
    where {{ is_chosen }}
    qualify
        row_number() over (
            partition by id order by _extracted_at, _batch_id, _source_file, _source_row
        ) > 1

),

with_fields as (

    select
        deliveries.id,
        deliveries.type,
        deliveries.created,
        deliveries.data,
        {{ json_fields('deliveries.data', fields) }} as fields,
        deliveries._batch_id,
        deliveries._extracted_at,
        deliveries._loaded_at,
        deliveries._source_file,
        deliveries._source_row

    from deliveries
    left join repeated_copies
        on
            -- Events of one list share a row, so the id is part of the join.
            deliveries.id = repeated_copies.id
            and deliveries._batch_id = repeated_copies._batch_id
            and deliveries._source_file = repeated_copies._source_file
            and deliveries._source_row = repeated_copies._source_row
    where
        repeated_copies.id is null
        and {{ json_string('deliveries.data', 'object.object') }} = 'subscription'
        and coalesce(deliveries.livemode, true)
        and coalesce(
            cast({{ json_string('deliveries.data', 'object.livemode') }} as boolean), true
        )

),

with_subscription as (

    select
        id,
        type,
        created,
        {{ stripe_subscription(
            'fields.object', json_value('data', 'object.items.data')
        ) }} as subscription,
        _batch_id,
        _extracted_at,
        _loaded_at,
        _source_file,
        _source_row

    from with_fields

),

final as (

    select
        id as event_id,
        subscription.subscription_id,
        subscription.stripe_customer_id,

        type as event_type,
        subscription.status,
        subscription.currency,
        subscription.pause_behavior,
        subscription.cancellation_reason,

        subscription.items,
        subscription.discounts,
        subscription.default_tax_rates,

        subscription.has_more_items,
        subscription.is_cancel_at_period_end,

        {{ from_epoch('created') }} as occurred_at,
        subscription.created_at,
        subscription.start_at,
        subscription.trial_start_at,
        subscription.trial_end_at,
        subscription.current_period_end_at,
        subscription.pause_resumes_at,
        subscription.cancel_at,
        subscription.ended_at,

        _batch_id,
        _extracted_at,
        _loaded_at,
        _source_file,
        _source_row

    from with_subscription

)

select * from final
