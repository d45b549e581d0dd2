with

source as (

    select * from {{ source('stripe', 'invoice_payments') }}

),

final as (

    select
        id as invoice_payment_id,
        {{ expandable_id('invoice') }} as invoice_id,
        {{ expandable_id(json_string('payment', 'charge')) }} as charge_id,
        {{ expandable_id(json_string('payment', 'payment_intent')) }} as payment_intent_id,

        status,
        upper(currency) as currency,

        amount_requested as amount_requested_minor,
        coalesce(amount_paid, 0) as amount_paid_minor,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch(json_string('status_transitions', 'paid_at')) }} as paid_at,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
