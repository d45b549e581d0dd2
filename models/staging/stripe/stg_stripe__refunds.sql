with

source as (

    select * from {{ source('stripe', 'refunds') }}

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
    qualify {{ is_latest_version('id') }}

)

select * from final
