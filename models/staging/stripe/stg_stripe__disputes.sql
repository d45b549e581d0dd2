with

source as (

    select * from {{ source('stripe', 'disputes') }}

),

final as (

    select
        id as dispute_id,
        {{ expandable_id('charge') }} as charge_id,
        {{ expandable_id('payment_intent') }} as payment_intent_id,

        status,
        reason,
        coalesce(
            network_reason_code,
            {{ json_string('payment_method_details', 'card.network_reason_code') }}
        ) as network_reason_code,
        upper(currency) as currency,
        balance_transactions,
        metadata,

        amount as amount_minor,

        coalesce(is_charge_refundable, false) as is_charge_refundable,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch(json_string('evidence_details', 'due_by')) }} as evidence_due_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
