-- Proves that each movement of Stripe's balance, before fees, is the amount of its charge or
-- refund, that a failed refund is returned in full, and that net is amount less fee. A comparison
-- of daily sums would let two errors cancel out. A movement in another currency than its charge is
-- only checked against its own net, since the bank sets that rate. Before basil a charge that was
-- captured in part moves the whole amount and a refund the rest back. Movements that were not
-- exported are not checked.
with

stg_stripe__balance_transactions as (

    select * from {{ ref('stg_stripe__balance_transactions') }}

),

stg_stripe__refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

expected as (

    select
        balance_transaction_id,
        charge_id as source_id,
        currency,
        collected_minor + released_minor as expected_minor
    from int_payments_linked
    where charge_status = 'succeeded'

    union all

    select
        stg_stripe__refunds.balance_transaction_id,
        int_payment_refunds_linked.refund_id as source_id,
        int_payment_refunds_linked.currency,
        -int_payment_refunds_linked.amount_minor as expected_minor
    from int_payment_refunds_linked
    inner join stg_stripe__refunds
        on int_payment_refunds_linked.refund_id = stg_stripe__refunds.refund_id

    union all

    select
        stg_stripe__refunds.failure_balance_transaction_id as balance_transaction_id,
        int_payment_refunds_linked.refund_id as source_id,
        int_payment_refunds_linked.currency,
        int_payment_refunds_linked.amount_minor as expected_minor
    from int_payment_refunds_linked
    inner join stg_stripe__refunds
        on int_payment_refunds_linked.refund_id = stg_stripe__refunds.refund_id

),

final as (

    select
        expected.source_id,
        stg_stripe__balance_transactions.balance_transaction_id,
        stg_stripe__balance_transactions.currency as settlement_currency,
        stg_stripe__balance_transactions.amount_minor,
        stg_stripe__balance_transactions.fee_minor,
        stg_stripe__balance_transactions.net_minor,
        expected.currency,
        expected.expected_minor

    from expected
    inner join stg_stripe__balance_transactions
        on
            expected.balance_transaction_id
            = stg_stripe__balance_transactions.balance_transaction_id

)

select * from final
where
    (settlement_currency = currency and amount_minor != expected_minor)
    or net_minor != amount_minor - fee_minor
    or sign(amount_minor) != sign(expected_minor)
