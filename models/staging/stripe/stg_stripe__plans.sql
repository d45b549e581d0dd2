{%- set plan = {} %}
{%- for field in [
    'id', 'product', 'currency', 'billing_scheme', 'amount_decimal', 'amount', 'tiers', 'tiers_mode',
    'transform_usage', 'interval_count', 'usage_type',
] %}
{%- do plan.update({field: field}) %}
{%- endfor %}
{%- do plan.update({'interval': adapter.quote('interval')}) %}

with

source as (

    select * from {{ source('stripe', 'plans') }}

),

latest as (

    select
        id,
        {{ stripe_price(json_fields(json_object(plan), stripe_price_fields())) }} as plan,
        nickname,
        meter,
        trial_period_days,
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
        plan.product_id,

        nickname,
        plan.currency,
        plan.price_type,
        plan.billing_scheme,
        plan.recurring_interval,
        plan.recurring_interval_count,
        plan.usage_type,
        meter as meter_id,
        cast(trial_period_days as integer) as trial_period_days,
        plan.tiers_mode,

        plan.unit_amount_decimal,
        plan.tiers,
        plan.transform_quantity,
        metadata,

        coalesce(active, false) as is_active,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,

        _batch_id,
        _extracted_at

    from latest

)

select * from final
