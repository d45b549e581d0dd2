-- Warns of payments and refunds in another currency than their invoice. `fct_invoices` leaves them
-- out of `charged_amount` and `refunded_amount`, because amounts of two currencies cannot be added.
{{ config(severity='warn') }}

with

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

),

payments as (

    select
        charge_id as payment_id,
        invoice_id,
        currency,
        collected_amount as amount
    from {{ ref('fct_payments') }}

    union all

    select
        refund_id as payment_id,
        invoice_id,
        currency,
        refunded_amount as amount
    from {{ ref('fct_refunds') }}

)

select
    payments.payment_id,
    payments.invoice_id,
    payments.currency,
    payments.amount,
    fct_invoices.currency as invoice_currency

from payments
inner join fct_invoices
    on payments.invoice_id = fct_invoices.invoice_id
where
    payments.currency != fct_invoices.currency
    and payments.amount != 0
