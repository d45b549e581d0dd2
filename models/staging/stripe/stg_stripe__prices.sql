{%- set price = {} %}
{%- for field in [
    'id', 'product', 'currency', 'currency_options', 'type', 'billing_scheme', 'unit_amount_decimal',
    'unit_amount', 'tiers', 'tiers_mode', 'transform_quantity', 'recurring', 'tax_behavior',
] %}
{%- do price.update({field: field}) %}
{%- endfor %}

with

source as (

    select * from {{ source('stripe', 'prices') }}

),

latest as (

    select
        id,
        {{ stripe_price(json_fields(json_object(price), stripe_price_fields())) }} as price,
        nickname,
        lookup_key,
        type,
        recurring,
        metadata,
        active,
        deleted,
        created,
        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

),

final as (

    select
        id as price_id,
        price.product_id,

        nickname,
        lookup_key,
        price.currency,
        type as price_type,
        price.billing_scheme,
        price.recurring_interval,
        price.recurring_interval_count,
        price.usage_type,
        {{ json_string('recurring', 'meter') }} as meter_id,
        cast({{ json_string('recurring', 'trial_period_days') }} as integer) as trial_period_days,
        price.tiers_mode,
        price.tax_behavior,

        price.unit_amount_decimal,
        price.tiers,
        price.transform_quantity,
        price.currency_options,
        metadata,

        coalesce(active, false) as is_active,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,

        _batch_id,
        _extracted_at

    from latest

)

select * from final
