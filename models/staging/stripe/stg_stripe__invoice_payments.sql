with

source as (

    select * from {{ source('stripe', 'invoices') }}

),

latest as (

    select
        id,
        status,
        amount_due,
        amount_paid,
        charge,
        payment_intent,
        payments,
        status_transitions,
        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

),

-- Since basil an invoice lists its payments. Before, it named its one charge or payment intent.
payments as (

    select
        id as invoice_id,
        {{ explode(json_array(json_value('payments', 'data'))) }} as payment,
        _batch_id,
        _extracted_at

    from latest

    union all

    select
        id as invoice_id,
        {{ json_object({
            'amount_paid': 'amount_paid',
            'is_default': 'true',
            'payment': json_object({
                'charge': expandable_id('charge'),
                'payment_intent': expandable_id('payment_intent'),
            }),
            'status': "case when status = 'paid' then 'paid' else 'open' end",
            'status_transitions': json_object({
                'paid_at': json_string('status_transitions', 'paid_at'),
            }),
        }) }} as payment,
        _batch_id,
        _extracted_at

    from latest
    where
        coalesce(charge, payment_intent) is not null
        and amount_due > 0

),

final as (

    select
        coalesce({{ json_string('payment', 'id') }}, invoice_id) as invoice_payment_id,
        invoice_id,
        {{ expandable_id(json_string('payment', 'payment.charge')) }} as charge_id,
        {{ expandable_id(json_string('payment', 'payment.payment_intent')) }} as payment_intent_id,

        {{ json_string('payment', 'status') }} as status,
        coalesce(cast({{ json_string('payment', 'amount_paid') }} as bigint), 0)
            as amount_paid_minor,

        coalesce(cast({{ json_string('payment', 'is_default') }} as boolean), false) as is_default,

        {{ from_epoch(json_string('payment', 'status_transitions.paid_at')) }} as paid_at,

        _batch_id,
        _extracted_at

    from payments

)

select * from final
