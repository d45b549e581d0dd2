-- Proves that an invoice's total is the sum of what was paid, settled by the customer's balance,
-- credited before payment, is still open and was given up, less what was overpaid, and that what
-- was paid through Stripe is what its charges collected. Without the first half, a charge could be
-- booked to an invoice that the balance settled. Without the second, a charge counted twice would
-- not show. The second half only checks invoices where every payment names a charge or payment
-- intent with a successful charge in the extracts, because an export may hold invoices alone, and
-- leaves out payments that several invoices share. An overpayment may be part of what was paid or
-- not.
with

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

),

fct_payments as (

    select * from {{ ref('fct_payments') }}

),

invoice_payments as (

    select
        invoice_id,
        {{ explode('payments') }} as payment
    from {{ ref('int_invoices_known') }}

),

-- What was paid outside Stripe names neither a charge nor a payment intent.
payments as (

    select
        payment.invoice_payment_id,
        invoice_id,
        payment.charge_id,
        payment.payment_intent_id,
        count(*) over (
            partition by coalesce(payment.charge_id, payment.payment_intent_id)
        ) > 1 as is_shared
    from invoice_payments
    where
        payment.status = 'paid'
        and payment.amount_paid_minor > 0
        and coalesce(payment.charge_id, payment.payment_intent_id) is not null

),

successful as (

    select charge_id as reference
    from fct_payments
    where is_successful

    union

    select payment_intent_id as reference
    from fct_payments
    where is_successful

),

payments_with_charges as (

    select payments.invoice_payment_id
    from payments
    inner join successful
        on payments.charge_id = successful.reference

    union

    select payments.invoice_payment_id
    from payments
    inner join successful
        on payments.payment_intent_id = successful.reference

),

invoices_with_charges as (

    select payments.invoice_id
    from payments
    left join payments_with_charges
        on payments.invoice_payment_id = payments_with_charges.invoice_payment_id
    group by payments.invoice_id
    having
        count(*) = count(payments_with_charges.invoice_payment_id)
        and not bool_or(payments.is_shared)

),

charges as (

    select
        invoice_id,
        sum(collected_amount) as collected_amount
    from fct_payments
    group by invoice_id

),

final as (

    select
        fct_invoices.invoice_id,
        fct_invoices.invoice_status,
        fct_invoices.total_amount,
        fct_invoices.balance_applied_amount,
        fct_invoices.pre_payment_credit_amount,
        fct_invoices.paid_amount,
        fct_invoices.overpaid_amount,
        fct_invoices.out_of_band_amount,
        fct_invoices.remaining_amount,
        fct_invoices.written_off_amount,
        fct_invoices.paid_amount
        + fct_invoices.balance_applied_amount
        + fct_invoices.pre_payment_credit_amount
        + fct_invoices.remaining_amount
        + fct_invoices.written_off_amount as settled_amount,
        fct_invoices.paid_amount - fct_invoices.out_of_band_amount as through_stripe_amount,
        charges.collected_amount,
        invoices_with_charges.invoice_id is not null as has_charges

    from fct_invoices
    left join invoices_with_charges
        on fct_invoices.invoice_id = invoices_with_charges.invoice_id
    left join charges
        on fct_invoices.invoice_id = charges.invoice_id
    where fct_invoices.invoice_status in ('open', 'paid', 'uncollectible')

)

select * from final
where
    settled_amount not in (total_amount, total_amount + overpaid_amount)
    or (
        has_charges
        and collected_amount not in (
            through_stripe_amount, through_stripe_amount + overpaid_amount
        )
    )
