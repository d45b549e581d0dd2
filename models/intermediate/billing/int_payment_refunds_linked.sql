with

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

stg_stripe__balance_transactions as (

    select * from {{ ref('stg_stripe__balance_transactions') }}

),

stg_stripe__refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

-- A refund does not say whether it is a test; its charge does, so one without a charge is not told.
joined as (

    select
        stg_stripe__refunds.*,
        int_payments_linked.invoice_id,
        int_payments_linked.stripe_customer_id as charged_customer_id,
        coalesce(stg_stripe__refunds.status, 'succeeded') as refund_status,
        stg_stripe__balance_transactions.currency as settlement_currency,
        stg_stripe__balance_transactions.amount_minor as settled_minor

    from stg_stripe__refunds
    inner join int_payments_linked
        on stg_stripe__refunds.charge_id = int_payments_linked.charge_id
    left join stg_stripe__balance_transactions
        on
            stg_stripe__refunds.balance_transaction_id
            = stg_stripe__balance_transactions.balance_transaction_id
    where not stg_stripe__refunds.is_deleted

),

final as (

    select
        refund_id,
        charge_id,
        invoice_id,
        charged_customer_id as stripe_customer_id,
        refund_status,
        currency,
        reason,
        failure_reason,
        row_number() over (partition by charge_id order by created_at, refund_id) as refund_number,
        amount_minor,
        -- Stripe's own total of a charge counts pending refunds too.
        case when refund_status in ('failed', 'canceled') then 0 else amount_minor end
            as refunded_minor,
        settlement_currency,
        settled_minor,
        created_at,
        _extracted_at

    from joined

)

select * from final
