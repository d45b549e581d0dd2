with

int_invoices_totaled as (

    select * from {{ ref('int_invoices_totaled') }}

),

stg_stripe__credit_notes as (

    select * from {{ ref('stg_stripe__credit_notes') }}

),

refunds_listed as (

    select
        credit_note_id,
        {{ json_list_sum('refunds', json_string('element', 'amount_refunded')) }} as refunded_minor
    from stg_stripe__credit_notes

),

final as (

    select
        stg_stripe__credit_notes.credit_note_id,
        stg_stripe__credit_notes.invoice_id,
        coalesce(
            stg_stripe__credit_notes.stripe_customer_id, int_invoices_totaled.stripe_customer_id
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
        refunds_listed.refunded_minor,
        coalesce(stg_stripe__credit_notes.out_of_band_minor, 0) as out_of_band_minor,
        stg_stripe__credit_notes.voided_at is not null
        or coalesce(stg_stripe__credit_notes.status, 'issued') = 'void' as is_void,
        coalesce(int_invoices_totaled.is_revenue, true) as is_of_counted_invoice,
        coalesce(stg_stripe__credit_notes.effective_at, stg_stripe__credit_notes.created_at)
            as issued_at,
        stg_stripe__credit_notes.voided_at,
        coalesce(
            int_invoices_totaled.finalized_at,
            stg_stripe__credit_notes.effective_at,
            stg_stripe__credit_notes.created_at
        ) as valued_at

    from stg_stripe__credit_notes
    left join refunds_listed
        on stg_stripe__credit_notes.credit_note_id = refunds_listed.credit_note_id
    left join int_invoices_totaled
        on stg_stripe__credit_notes.invoice_id = int_invoices_totaled.invoice_id
    where not stg_stripe__credit_notes.is_deleted

)

select * from final
