{%- set item = {} %}
{%- for field in stripe_subscription_item_fields() %}
{%- do item.update({field: field}) %}
{%- endfor %}

with

source as (

    select * from {{ source('stripe', 'subscription_items') }}

),

latest as (

    select
        price,
        plan,
        {{ json_fields(json_object(item), stripe_subscription_item_fields()) }} as fields,
        subscription,
        deleted,
        created,
        current_period_start,
        _batch_id,
        _extracted_at

    from source
    where coalesce(cast({{ json_string('coalesce(price, plan)', 'livemode') }} as boolean), true)
    qualify {{ is_latest_version('id') }}

),

with_item as (

    select
        {{ stripe_subscription_item('fields', json_string('price'), json_string('plan')) }} as item,
        subscription,
        deleted,
        created,
        current_period_start,
        _batch_id,
        _extracted_at
    from latest

),

final as (

    select
        item.subscription_item_id,
        subscription as subscription_id,
        item.price_id,

        item.quantity,
        item.price,
        item.plan,
        item.discounts,
        item.tax_rates,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('current_period_start') }} as current_period_start_at,
        item.current_period_end_at,

        _batch_id,
        _extracted_at

    from with_item

)

select * from final
