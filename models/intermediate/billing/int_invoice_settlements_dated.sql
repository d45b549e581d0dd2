with

int_credit_notes_linked as (

    select * from {{ ref('int_credit_notes_linked') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_invoices_known as (

    select * from {{ ref('int_invoices_known') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

invoice_payments as (

    select
        invoice_id,
        {{ explode('payments') }} as payment
    from int_invoices_known

),

credit_notes as (

    select
        credit_note_id,
        invoice_id,
        pre_payment_minor,
        issued_at,
        case when is_void then coalesce(voided_at, issued_at) end as voided_at

    from int_credit_notes_linked
    where
        pre_payment_minor > 0
        and (not is_void or '{{ var("revenue_corrections") }}' = 'open_period')

),

payments as (

    select
        payment.invoice_payment_id,
        invoice_id,
        payment.amount_paid_minor,
        payment.paid_at

    from invoice_payments
    where
        payment.status = 'paid'
        and payment.paid_at is not null
        and payment.amount_paid_minor > 0

),

dated_totals as (

    select
        invoice_id,
        sum(amount_paid_minor) as amount_paid_minor
    from payments
    group by invoice_id

),

credit_totals as (

    select
        invoice_id,
        sum(pre_payment_minor) as pre_payment_minor
    from credit_notes
    where voided_at is null
    group by invoice_id

),

last_collections as (

    select
        invoice_id,
        max(created_at) as collected_at
    from int_payments_linked
    where collected_minor > 0
    group by invoice_id

),

-- A part payment of an open invoice without a date counts from its last charge, or else from the
-- extract that reports it.
undated_payments as (

    select
        int_invoices_dated.invoice_id,
        int_invoices_dated.paid_minor - coalesce(dated_totals.amount_paid_minor, 0)
            as amount_paid_minor,
        coalesce(last_collections.collected_at, int_invoices_dated.observed_at) as paid_at

    from int_invoices_dated
    left join dated_totals
        on int_invoices_dated.invoice_id = dated_totals.invoice_id
    left join last_collections
        on int_invoices_dated.invoice_id = last_collections.invoice_id
    where
        int_invoices_dated.paid_at is null
        and int_invoices_dated.paid_minor > coalesce(dated_totals.amount_paid_minor, 0)

),

-- A credit that only the invoice reports counts from the extract that reports it.
undated_credits as (

    select
        int_invoices_dated.invoice_id,
        int_invoices_dated.pre_payment_credit_minor - coalesce(credit_totals.pre_payment_minor, 0)
            as pre_payment_minor,
        int_invoices_dated.observed_at as issued_at

    from int_invoices_dated
    left join credit_totals
        on int_invoices_dated.invoice_id = credit_totals.invoice_id
    where
        int_invoices_dated.paid_at is null
        and int_invoices_dated.pre_payment_credit_minor
        > coalesce(credit_totals.pre_payment_minor, 0)

),

final as (

    select
        invoice_id,
        credit_note_id as settlement_id,
        'credit_note' as settlement_type,
        pre_payment_minor as settled_minor,
        issued_at as settled_at
    from credit_notes

    union all

    select
        invoice_id,
        credit_note_id as settlement_id,
        'credit_note_voided' as settlement_type,
        -pre_payment_minor as settled_minor,
        voided_at as settled_at
    from credit_notes
    where voided_at is not null

    union all

    select
        invoice_id,
        invoice_payment_id as settlement_id,
        'payment' as settlement_type,
        amount_paid_minor as settled_minor,
        paid_at as settled_at
    from payments

    union all

    select
        invoice_id,
        invoice_id as settlement_id,
        'undated_payment' as settlement_type,
        amount_paid_minor as settled_minor,
        paid_at as settled_at
    from undated_payments

    union all

    select
        invoice_id,
        invoice_id as settlement_id,
        'undated_credit_note' as settlement_type,
        pre_payment_minor as settled_minor,
        issued_at as settled_at
    from undated_credits

)

select * from final
