with

source as (

    select * from {{ source('stripe', 'charges') }}

),

final as (

    select
        id as charge_id,
        {{ expandable_id('customer') }} as stripe_customer_id,
        {{ expandable_id('invoice') }} as invoice_id,
        {{ expandable_id('payment_intent') }} as payment_intent_id,
        payment_method as payment_method_id,
        {{ expandable_id('balance_transaction') }} as balance_transaction_id,

        status,
        upper(currency) as currency,
        description,
        failure_code,
        failure_message,
        {{ json_string('outcome', 'type') }} as outcome_type,
        {{ json_string('outcome', 'reason') }} as outcome_reason,
        {{ json_string('outcome', 'network_status') }} as network_status,
        {{ json_string('outcome', 'risk_level') }} as risk_level,
        {{ json_string('payment_method_details', 'type') }} as payment_method_type,
        {{ json_string('payment_method_details', 'card.brand') }} as card_brand,
        {{ json_string('payment_method_details', 'card.funding') }} as card_funding,
        {{ json_string('payment_method_details', 'card.country') }} as card_country,
        statement_descriptor,
        receipt_email,
        metadata,

        amount as amount_minor,
        amount_captured as amount_captured_minor,
        amount_refunded as amount_refunded_minor,

        coalesce(paid, status = 'succeeded', false) as is_paid,
        coalesce(captured, paid, status = 'succeeded', false) as is_captured,
        coalesce(refunded, false) as is_refunded,
        coalesce(disputed, false) as is_disputed,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
