{#- The objects are long, so one pass reads all their fields. -#}
{%- set fields = {
    'customer': 'string', 'currency': 'string', 'status': 'string',
    'start_date': 'string', 'created': 'string', 'trial_start': 'string', 'trial_end': 'string',
    'cancel_at': 'string', 'ended_at': 'string',
    'cancel_at_period_end': 'string', 'current_period_end': 'string',
    'pause_collection': {'behavior': 'string', 'resumes_at': 'string'},
    'items': {'data': 'json', 'has_more': 'string'},
    'discounts': 'json', 'discount': 'json', 'default_tax_rates': 'json',
} -%}

with

int_subscription_events_ordered as (

    select * from {{ ref('int_subscription_events_ordered') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

source_records as (

    select
        subscription_id,
        'event' as record_source,
        event_type,
        occurred_at as observed_at,
        event_number as record_number,
        object

    from int_subscription_events_ordered

    union all

    -- The subscription as it was before its first event. Nothing precedes a `created` event.
    select
        subscription_id,
        'before_first_event' as record_source,
        event_type,
        occurred_at as observed_at,
        0 as record_number,
        {{ json_overlay('object', 'previous_attributes') }} as object

    from int_subscription_events_ordered
    where
        event_number = 1
        and event_type != 'customer.subscription.created'

    union all

    select
        subscription_id,
        case
            when row_number() over extracts = 1 then 'first_extract'
            else 'later_extract'
        end as record_source,
        cast(null as string) as event_type,
        extracted_at as observed_at,
        1000000 + row_number() over extracts as record_number,
        object

    from stg_stripe__subscription_extracts
    window extracts as (partition by subscription_id order by extracted_at)

),

with_fields as (

    select
        subscription_id,
        record_source,
        event_type,
        observed_at,
        record_number,
        {{ json_fields('object', fields) }} as fields,
        {{ from_epoch(json_string('object', 'items.data[0].current_period_end')) }}
            as item_period_end_at

    from source_records

),

parsed as (

    select
        subscription_id,
        record_source,
        event_type,
        observed_at,
        record_number,
        {{ expandable_id('fields.customer') }} as stripe_customer_id,
        upper(fields.currency) as currency,
        case
            when
                event_type = 'customer.subscription.deleted'
                and record_source = 'event'
                and fields.status != 'incomplete_expired'
                then 'canceled'
            else fields.status
        end as subscription_status,
        least(
            {{ from_epoch('fields.start_date') }}, {{ from_epoch('fields.created') }}
        ) as started_at,
        {{ from_epoch('fields.trial_start') }} as trial_start_at,
        {{ from_epoch('fields.trial_end') }} as trial_end_at,
        {{ from_epoch('fields.ended_at') }} as ended_at,
        coalesce(cast(fields.cancel_at_period_end as boolean), false) as is_cancel_at_period_end,
        -- API versions up to acacia have the period on the subscription, later ones on its items.
        coalesce(
            {{ from_epoch('fields.cancel_at') }},
            case
                when cast(fields.cancel_at_period_end as boolean)
                    then coalesce(
                            item_period_end_at, {{ from_epoch('fields.current_period_end') }}
                        )
            end
        ) as cancel_at,
        fields.pause_collection.behavior as pause_behavior,
        {{ from_epoch('fields.pause_collection.resumes_at') }} as pause_resumes_at,
        fields.items.data as items,
        coalesce(cast(fields.items.has_more as boolean), false) as has_more_items,
        -- API versions up to acacia have one `discount`, later ones a list; some have both.
        case
            when
                coalesce(json_array_length(fields.discounts), 0) = 0
                and fields.discount is not null
                then [fields.discount]
            else {{ json_array('fields.discounts') }}
        end as discounts,
        fields.default_tax_rates

    from with_fields

),

final as (

    select
        subscription_id,
        record_source,
        event_type,
        observed_at,
        record_number,
        stripe_customer_id,
        currency,
        subscription_status,
        started_at,
        trial_start_at,
        trial_end_at,
        ended_at,
        pause_behavior,
        pause_resumes_at,
        items,
        has_more_items,
        discounts,
        default_tax_rates,
        cancel_at,
        is_cancel_at_period_end or cancel_at is not null as is_cancel_scheduled,
        subscription_status in ('canceled', 'incomplete_expired') as is_ended,
        concat_ws(
            '|',
            subscription_status,
            coalesce(cast(cancel_at as string), ''),
            coalesce(pause_behavior, ''),
            coalesce(cast(pause_resumes_at as string), ''),
            {{ json_list_digest('items', [['id'], ['price.id', 'plan.id'], ['quantity']]) }}
        ) as state_digest

    from parsed

)

select * from final
