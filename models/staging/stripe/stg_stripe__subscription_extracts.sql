{#-
    A run takes the loads that came or went, as macros/incremental.sql explains, and selects again among
    the rows of every subscription and extract in them.
-#}
{{ config(
    materialized='incremental',
    unique_key=['subscription_id', 'extracted_at'],
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('stripe', 'subscriptions')) }}){% endif %}",
) }}

{%- set object = {} %}
{%- for field in stripe_subscription_fields() %}
{%- do object.update({field: 'source.' ~ field}) %}
{%- endfor %}

with

source as (

    select * from {{ source('stripe', 'subscriptions') }}

),

{%- if is_incremental() %}

touched as (

    select
        id as subscription_id,
        _extracted_at as extracted_at
    from {{ source('stripe', 'subscriptions') }}
    where _loaded_at in ({{ loads_only_in(source('stripe', 'subscriptions'), this) }})
    union distinct
    select
        subscription_id,
        extracted_at
    from {{ this }}
    where _loaded_at in ({{ loads_only_in(this, source('stripe', 'subscriptions')) }})

),
{%- endif %}

with_fields as (

    select
        source.items,
        {{ json_fields(json_object(object), stripe_subscription_fields()) }} as fields,
        source._batch_id,
        source._extracted_at,
        source._loaded_at,
        source._source_file,
        source._source_row

    from source
    {%- if is_incremental() %}
    inner join touched
        on
            source.id = touched.subscription_id
            and source._extracted_at = touched.extracted_at
    {%- endif %}
    where
        coalesce(source.livemode, true)
        and source.status is not null
    qualify
        row_number() over (
            partition by source.id, source._extracted_at
            order by source._batch_id desc, source._source_file desc, source._source_row desc
        ) = 1

),

with_subscription as (

    select
        {{ stripe_subscription('fields', json_value('items', 'data')) }} as subscription,
        _batch_id,
        _extracted_at,
        _loaded_at,
        _source_file,
        _source_row
    from with_fields

),

final as (

    select
        subscription.subscription_id,
        subscription.stripe_customer_id,

        subscription.status,
        subscription.currency,
        subscription.pause_behavior,
        subscription.cancellation_reason,

        subscription.items,
        subscription.discounts,
        subscription.default_tax_rates,

        subscription.has_more_items,
        subscription.is_cancel_at_period_end,

        _extracted_at as extracted_at,
        subscription.created_at,
        subscription.start_at,
        subscription.trial_start_at,
        subscription.trial_end_at,
        subscription.current_period_end_at,
        subscription.pause_resumes_at,
        subscription.cancel_at,
        subscription.ended_at,

        _batch_id,
        _loaded_at,
        _source_file,
        _source_row

    from with_subscription

)

select * from final
