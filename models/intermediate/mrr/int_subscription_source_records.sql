{#- An object is long and asked for much, so it is read in one pass. -#}
{%- set fields = {
    'customer': 'string', 'currency': 'string', 'status': 'string',
    'start_date': 'string', 'created': 'string', 'trial_start': 'string', 'trial_end': 'string',
    'cancel_at': 'string', 'canceled_at': 'string', 'ended_at': 'string',
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

event_statements as (

    select
        subscription_id,
        'event' as record_source,
        event_type,
        occurred_at as observed_at,
        event_number as record_number,
        object

    from int_subscription_events_ordered

),

-- What the first event says was there before it; a first `created` has nothing before it.
before_first_event_statements as (

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

),

extract_statements as (

    select
        subscription_id,
        case
            when row_number() over (partition by subscription_id order by extracted_at) = 1
                then 'first_extract'
            else 'later_extract'
        end as record_source,
        cast(null as string) as event_type,
        extracted_at as observed_at,
        1000000 + row_number() over (
            partition by subscription_id order by extracted_at
        ) as record_number,
        object

    from stg_stripe__subscription_extracts

),

statements as (

    select * from event_statements
    union all by name
    select * from before_first_event_statements
    union all by name
    select * from extract_statements

),

with_fields as (

    select
        *,
        {{ json_fields('object', fields) }} as fields

    from statements

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
        {{ from_epoch('fields.cancel_at') }} as stated_cancel_at,
        {{ from_epoch('fields.canceled_at') }} as canceled_at,
        {{ from_epoch('fields.ended_at') }} as ended_at,
        coalesce(cast(fields.cancel_at_period_end as boolean), false) as is_cancel_at_period_end,
        -- The period stands on the subscription up to acacia, on its items since.
        {{ from_epoch('fields.current_period_end') }} as subscription_period_end_at,
        {{ from_epoch(json_string('object', 'items.data[0].current_period_end')) }}
            as item_period_end_at,
        fields.pause_collection.behavior as pause_behavior,
        {{ from_epoch('fields.pause_collection.resumes_at') }} as pause_resumes_at,
        fields.items.data as items,
        coalesce(cast(fields.items.has_more as boolean), false) as has_more_items,
        -- Versions up to acacia have one `discount`, later ones a list; some have both.
        case
            when json_array_length(fields.discounts) > 0 then {{ json_array('fields.discounts') }}
            when fields.discount is not null then [fields.discount]
            else cast([] as json[])
        end as discounts,
        fields.default_tax_rates

    from with_fields

),

scheduled as (

    select
        *,
        case
            when stated_cancel_at is not null then stated_cancel_at
            when is_cancel_at_period_end
                then coalesce(item_period_end_at, subscription_period_end_at)
        end as cancel_at

    from parsed

),

final as (

    select
        *,
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

    from scheduled

)

select * from final
