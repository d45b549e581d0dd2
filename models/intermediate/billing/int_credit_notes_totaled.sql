with

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

stg_stripe__credit_notes as (

    select * from {{ ref('stg_stripe__credit_notes') }}

),

stg_stripe__refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

refunds_listed as (

    select
        credit_note_id,
        {{ explode(json_array('refunds')) }} as listed_refund
    from stg_stripe__credit_notes

),

refunds_named as (

    select
        credit_note_id,
        {{ expandable_id(json_string('listed_refund', 'refund')) }} as refund_id,
        cast({{ json_string('listed_refund', 'amount_refunded') }} as bigint) as refunded_minor
    from refunds_listed

),

-- Up to acacia a note names its refund without saying how much of it is for the note: all of it.
refunds as (

    select
        refunds_named.credit_note_id,
        cast(
            sum(coalesce(refunds_named.refunded_minor, stg_stripe__refunds.amount_minor)) as bigint
        ) as refunded_minor

    from refunds_named
    left join stg_stripe__refunds
        on refunds_named.refund_id = stg_stripe__refunds.refund_id
    group by refunds_named.credit_note_id

),

final as (

    select
        stg_stripe__credit_notes.credit_note_id,
        stg_stripe__credit_notes.invoice_id,
        coalesce(
            stg_stripe__credit_notes.stripe_customer_id, int_invoices_dated.stripe_customer_id
        ) as stripe_customer_id,
        stg_stripe__credit_notes.credit_note_number,
        stg_stripe__credit_notes.credit_note_type,
        stg_stripe__credit_notes.reason,
        stg_stripe__credit_notes.currency,
        stg_stripe__credit_notes.total_minor,
        stg_stripe__credit_notes.discount_amount_minor as discount_minor,
        stg_stripe__credit_notes.tax_minor,
        coalesce(
            stg_stripe__credit_notes.total_excluding_tax_minor,
            stg_stripe__credit_notes.total_minor - stg_stripe__credit_notes.tax_minor
        ) as net_minor,
        stg_stripe__credit_notes.pre_payment_minor,
        stg_stripe__credit_notes.post_payment_minor,
        coalesce(refunds.refunded_minor, 0) as refunded_minor,
        coalesce(stg_stripe__credit_notes.out_of_band_minor, 0) as out_of_band_minor,
        stg_stripe__credit_notes.voided_at is not null
        or coalesce(stg_stripe__credit_notes.status, 'issued') = 'void' as is_void,
        coalesce(int_invoices_dated.is_revenue, true) as is_of_counted_invoice,
        coalesce(stg_stripe__credit_notes.effective_at, stg_stripe__credit_notes.created_at)
            as issued_at,
        stg_stripe__credit_notes.voided_at,
        coalesce(
            int_invoices_dated.finalized_at,
            stg_stripe__credit_notes.effective_at,
            stg_stripe__credit_notes.created_at
        ) as valued_at

    from stg_stripe__credit_notes
    left join refunds
        on stg_stripe__credit_notes.credit_note_id = refunds.credit_note_id
    left join int_invoices_dated
        on stg_stripe__credit_notes.invoice_id = int_invoices_dated.invoice_id
    where not stg_stripe__credit_notes.is_deleted

)

select * from final
