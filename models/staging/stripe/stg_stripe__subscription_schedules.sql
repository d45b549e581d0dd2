{%- set phase_fields = [{
    'start_date': 'bigint', 'end_date': 'bigint', 'trial_end': 'bigint', 'currency': 'string',
    'coupon': 'string', 'discounts': ['json'],
    'items': [{
        'price': 'string', 'plan': 'string', 'quantity': 'decimal(28, 6)', 'discounts': ['json'],
    }],
}] %}
{%- set price_id -%}
coalesce({{ expandable_id('phase_item.price') }}, {{ expandable_id('phase_item.plan') }})
{%- endset %}
{%- set phase_items = list_transform(
    'element.' ~ adapter.quote('items'),
    struct({
        'price_id': price_id,
        'quantity': 'cast(phase_item.quantity as bigint)',
        'has_discounts': list_length('phase_item.discounts') ~ ' > 0',
    }),
    element='phase_item'
) %}

with

source as (

    select * from {{ source('stripe', 'subscription_schedules') }}

),

final as (

    select
        id as subscription_schedule_id,
        {{ expandable_id('customer') }} as stripe_customer_id,
        coalesce(
            {{ expandable_id('subscription') }}, {{ expandable_id('released_subscription') }}
        ) as subscription_id,

        status,
        end_behavior,

        {{ list_transform(
            json_fields('phases', phase_fields),
            struct({
                'start_at': from_epoch('element.start_date'),
                'end_at': from_epoch('element.end_date'),
                'trial_end_at': from_epoch('element.trial_end'),
                'currency': 'upper(element.currency)',
                'has_discounts': 'case when element.coupon is not null then true else '
                    ~ list_length('element.discounts') ~ ' > 0 end',
                'phase_items': phase_items,
            })
        ) }} as phases,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
