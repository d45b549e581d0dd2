{%- set columns = [
    'stripe_customer_id', 'currency', 'status', 'created_at', 'start_at', 'trial_start_at',
    'trial_end_at', 'cancel_at', 'is_cancel_at_period_end', 'current_period_end_at', 'ended_at',
    'pause_behavior', 'pause_resumes_at', 'cancellation_reason', 'items', 'has_more_items', 'discounts',
    'default_tax_rates',
] -%}
{%- set new_line = ',\n        ' -%}

{#- What invoices show of a subscription that nothing else names. -#}
{%- set billed = {
    'status': 'status', 'stripe_customer_id': 'stripe_customer_id', 'currency': 'currency',
    'created_at': 'started_at', 'start_at': 'started_at', 'ended_at': 'ended_at',
    'is_cancel_at_period_end': 'false', 'has_more_items': 'false',
} -%}
{%- set billed_columns = [] -%}
{%- for column in columns -%}
{%- do billed_columns.append(billed.get(column, 'null') ~ ' as ' ~ column) -%}
{%- endfor -%}

{%- set extracts = '(partition by subscription_id order by extracted_at)' -%}

with

int_subscription_events_ordered as (

    select * from {{ ref('int_subscription_events_ordered') }}

),

int_subscriptions_only_invoiced as (

    select * from {{ ref('int_subscriptions_only_invoiced') }}

),

stg_stripe__subscription_events as (

    select * from {{ ref('stg_stripe__subscription_events') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

stg_stripe__subscription_prior_states as (

    select * from {{ ref('stg_stripe__subscription_prior_states') }}

),

source_records as (

    select
        events.subscription_id,
        'event' as record_source,
        events.event_type,
        events.occurred_at as observed_at,
        int_subscription_events_ordered.event_number as record_number,
        events.{{ columns | join(new_line ~ 'events.') }}

    from stg_stripe__subscription_events as events
    inner join int_subscription_events_ordered
        on events.event_id = int_subscription_events_ordered.event_id

    union all

    -- The subscription as it was before its first event. Nothing precedes a `created` event.
    select
        events.subscription_id,
        'before_first_event' as record_source,
        events.event_type,
        events.occurred_at as observed_at,
        0 as record_number,
        prior_states.{{ columns | join(new_line ~ 'prior_states.') }}

    from stg_stripe__subscription_prior_states as prior_states
    inner join int_subscription_events_ordered
        on prior_states.event_id = int_subscription_events_ordered.event_id
    inner join stg_stripe__subscription_events as events
        on prior_states.event_id = events.event_id
    where int_subscription_events_ordered.event_number = 1

    union all

    select
        subscription_id,
        case
            when row_number() over {{ extracts }} = 1 then 'first_extract'
            else 'later_extract'
        end as record_source,
        cast(null as string) as event_type,
        extracted_at as observed_at,
        1000000 + row_number() over {{ extracts }} as record_number,
        {{ columns | join(new_line) }}

    from stg_stripe__subscription_extracts

    union all

    select
        subscription_id,
        'invoice' as record_source,
        null as event_type,
        observed_at,
        0 as record_number,
        {{ billed_columns | join(new_line) }}

    from int_subscriptions_only_invoiced

),

with_status as (

    select
        subscription_id,
        record_source,
        event_type,
        observed_at,
        record_number,
        stripe_customer_id,
        currency,
        case
            when
                event_type = 'customer.subscription.deleted'
                and record_source = 'event'
                and status != 'incomplete_expired'
                then 'canceled'
            else status
        end as subscription_status,
        least(start_at, created_at) as started_at,
        trial_start_at,
        trial_end_at,
        ended_at,
        pause_behavior,
        pause_resumes_at,
        cancellation_reason,
        items,
        has_more_items,
        discounts,
        default_tax_rates,
        is_cancel_at_period_end,
        coalesce(
            cancel_at, case when is_cancel_at_period_end then current_period_end_at end
        ) as cancel_at

    from source_records

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
        cancellation_reason,
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
            {{ list_digest('items', ['subscription_item_id', 'price_id', 'quantity']) }}
        ) as state_digest

    from with_status

)

select * from final
