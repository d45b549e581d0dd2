with

source as (

    select * from {{ source('stripe', 'refunds') }}

),

-- A refund does not say whether it is a test. Its charge does.
test_payments as (

    select id as payment_id
    from {{ source('stripe', 'charges') }}
    where not livemode

    union distinct

    select {{ expandable_id('payment_intent') }} as payment_id
    from {{ source('stripe', 'charges') }}
    where
        not livemode
        and payment_intent is not null

),

final as (

    select
        id as refund_id,
        {{ expandable_id('charge') }} as charge_id,
        {{ expandable_id('payment_intent') }} as payment_intent_id,
        {{ expandable_id('customer') }} as stripe_customer_id,
        {{ expandable_id('balance_transaction') }} as balance_transaction_id,
        {{ expandable_id('failure_balance_transaction') }} as failure_balance_transaction_id,

        status,
        upper(currency) as currency,
        reason,
        failure_reason,
        pending_reason,
        description,
        metadata,

        amount as amount_minor,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,

        _batch_id,
        _extracted_at

    from source
    where
        coalesce({{ expandable_id('charge') }}, '') not in (
            select test_payments.payment_id from test_payments
        )
        and coalesce({{ expandable_id('payment_intent') }}, '') not in (
            select test_payments.payment_id from test_payments
        )
    qualify {{ is_latest_version('id') }}

)

select * from final
