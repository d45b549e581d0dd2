with

stg_stripe__charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

stg_stripe__invoice_payments as (

    select * from {{ ref('stg_stripe__invoice_payments') }}

),

stg_stripe__balance_transactions as (

    select * from {{ ref('stg_stripe__balance_transactions') }}

),

charges as (

    select *
    from stg_stripe__charges
    where not is_deleted

),

-- Up to acacia a charge names its invoice; since basil the invoice names the charge or the intent.
links as (

    select
        charge_id,
        invoice_id,
        1 as preference_number
    from charges
    where invoice_id is not null

    union all

    select
        charge_id,
        invoice_id,
        2 as preference_number
    from stg_stripe__invoice_payments
    where charge_id is not null

    union all

    select
        charges.charge_id,
        stg_stripe__invoice_payments.invoice_id,
        3 as preference_number
    from charges
    inner join stg_stripe__invoice_payments
        on charges.payment_intent_id = stg_stripe__invoice_payments.payment_intent_id

),

charge_invoices as (

    select
        charge_id,
        invoice_id
    from links
    qualify
        row_number() over (
            partition by charge_id order by preference_number, invoice_id
        ) = 1

),

valued as (

    select
        charges.*,
        charge_invoices.invoice_id as linked_invoice_id,
        coalesce(charges.status, case when charges.is_paid then 'succeeded' else 'failed' end)
            as charge_status,
        row_number() over (
            partition by charge_invoices.invoice_id order by charges.created_at, charges.charge_id
        ) as charge_number

    from charges
    left join charge_invoices
        on charges.charge_id = charge_invoices.charge_id

),

final as (

    select
        valued.charge_id,
        valued.linked_invoice_id as invoice_id,
        valued.stripe_customer_id,
        valued.payment_intent_id,
        valued.payment_method_id,
        valued.balance_transaction_id,

        valued.charge_status,
        valued.currency,
        valued.failure_code,
        valued.failure_message,
        valued.outcome_type,
        valued.outcome_reason,
        valued.payment_method_type,
        valued.card_brand,
        valued.card_country,
        case when valued.linked_invoice_id is not null then valued.charge_number end
            as attempt_number,

        valued.amount_minor,
        case
            when valued.charge_status != 'succeeded' then 0
            when valued.amount_captured_minor is not null then valued.amount_captured_minor
            when valued.is_captured or valued.is_paid then valued.amount_minor
            else 0
        end as collected_minor,
        coalesce(valued.amount_refunded_minor, 0) as stated_refunded_minor,

        stg_stripe__balance_transactions.currency as settlement_currency,
        stg_stripe__balance_transactions.amount_minor as settled_minor,
        stg_stripe__balance_transactions.fee_minor,
        stg_stripe__balance_transactions.net_minor,

        valued.created_at,
        valued._extracted_at

    from valued
    left join stg_stripe__balance_transactions
        on valued.balance_transaction_id = stg_stripe__balance_transactions.balance_transaction_id

)

select * from final
