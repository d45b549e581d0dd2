{%- set item_list = json_value('items', 'data') -%}

with

source as (

    select * from {{ source('stripe', 'subscriptions') }}

),

final as (

    select
        id as subscription_id,
        {{ expandable_id('customer') }} as stripe_customer_id,
        {{ expandable_id('latest_invoice') }} as latest_invoice_id,
        {{ expandable_id('default_payment_method') }} as default_payment_method_id,
        {{ expandable_id('schedule') }} as subscription_schedule_id,
        {{ json_first_string('metadata', var('opportunity_id_fields')) }} as opportunity_id,

        status,
        upper(currency) as currency,
        description,
        collection_method,
        cast(days_until_due as integer) as days_until_due,
        {{ json_string('pause_collection', 'behavior') }} as pause_behavior,
        {{ json_string('cancellation_details', 'reason') }} as cancellation_reason,
        {{ json_string('cancellation_details', 'feedback') }} as cancellation_feedback,
        {{ json_string('cancellation_details', 'comment') }} as cancellation_comment,
        {{ json_string('trial_settings', 'end_behavior.missing_payment_method') }}
            as trial_end_behavior,

        {{ item_list }} as items,
        -- Versions up to acacia have one `discount`, later ones a list; some have both.
        case
            when json_array_length(discounts) > 0 then discounts
            when {{ json_string('discount', 'id') }} is not null then {{ json_list(['discount']) }}
            else {{ json_list([]) }}
        end as discounts,
        default_tax_rates,
        metadata,

        coalesce(cast({{ json_string('items', 'has_more') }} as boolean), false) as has_more_items,
        coalesce(cancel_at_period_end, false) as is_cancel_at_period_end,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('start_date') }} as start_at,
        {{ from_epoch('billing_cycle_anchor') }} as billing_cycle_anchor_at,
        -- Since basil each item has its own period.
        {{ from_epoch(
            'coalesce(current_period_start, '
            ~ list_transform(
                json_array(item_list), json_string('element', 'current_period_start'), 'min'
            ) ~ ')'
        ) }} as current_period_start_at,
        {{ from_epoch(
            'coalesce(current_period_end, '
            ~ list_transform(
                json_array(item_list), json_string('element', 'current_period_end'), 'min'
            ) ~ ')'
        ) }} as current_period_end_at,
        {{ from_epoch('trial_start') }} as trial_start_at,
        {{ from_epoch('trial_end') }} as trial_end_at,
        {{ from_epoch(json_string('pause_collection', 'resumes_at')) }} as pause_resumes_at,
        {{ from_epoch('cancel_at') }} as cancel_at,
        {{ from_epoch('canceled_at') }} as canceled_at,
        {{ from_epoch('ended_at') }} as ended_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
