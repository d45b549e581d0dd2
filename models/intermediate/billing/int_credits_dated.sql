{{ config(materialized='view') }}

with

int_credit_note_lines_netted as (

    select * from {{ ref('int_credit_note_lines_netted') }}

),

int_credit_notes_linked as (

    select * from {{ ref('int_credit_notes_linked') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

-- What a note gave back by refunds. A note that lists none may still have been paid back by one.
note_totals as (

    select
        invoice_id,
        sum(total_minor) as credited_minor,
        sum(post_payment_minor) as post_payment_minor,
        sum(coalesce(nullif(refunded_minor, 0), post_payment_minor - out_of_band_minor))
            as refunded_minor
    from int_credit_notes_linked
    where not is_void
    group by invoice_id

),

refunds as (

    select
        refund_id,
        invoice_id,
        refunded_minor,
        created_at,
        sum(refunded_minor) over (
            partition by invoice_id
            order by created_at, refund_id
            rows between unbounded preceding and current row
        ) as refunded_to_date_minor
    from int_payment_refunds_linked
    where refunded_minor > 0

),

last_refunds as (

    select
        invoice_id,
        max(created_at) as refunded_at
    from refunds
    group by invoice_id

),

-- Credits that only the invoice's own totals show, as in an export without credit notes.
invoices as (

    select
        int_invoices_dated.invoice_id,
        {{ ratio(
            'int_invoices_dated.total_minor - int_invoices_dated.tax_minor',
            'int_invoices_dated.total_minor'
        ) }} as net_rate,
        greatest(
            int_invoices_dated.pre_payment_credit_minor
            + int_invoices_dated.post_payment_credit_minor
            - coalesce(note_totals.credited_minor, 0),
            0
        ) as credited_minor,
        coalesce(note_totals.refunded_minor, 0)
        + greatest(
            int_invoices_dated.post_payment_credit_minor
            - coalesce(note_totals.post_payment_minor, 0),
            0
        ) as returned_minor,
        coalesce(
            last_refunds.refunded_at, int_invoices_dated.paid_at, int_invoices_dated.observed_at
        ) as credited_at

    from int_invoices_dated
    left join note_totals
        on int_invoices_dated.invoice_id = note_totals.invoice_id
    left join last_refunds
        on int_invoices_dated.invoice_id = last_refunds.invoice_id
    where int_invoices_dated.is_revenue

),

final as (

    select
        credit_note_line_id as credit_id,
        'credit_note_line' as credit_type,
        credit_note_id,
        invoice_id,
        invoice_line_id,
        net_minor,
        issued_at as credited_at
    from int_credit_note_lines_netted

    union all

    select
        credit_note_line_id || '/voided' as credit_id,
        'credit_note_line' as credit_type,
        credit_note_id,
        invoice_id,
        invoice_line_id,
        -net_minor as net_minor,
        voided_at as credited_at
    from int_credit_note_lines_netted
    where voided_at is not null

    union all

    select
        invoice_id || '/credited' as credit_id,
        'undated_credit_note' as credit_type,
        cast(null as string) as credit_note_id,
        invoice_id,
        cast(null as string) as invoice_line_id,
        cast(round(credited_minor * net_rate) as bigint) as net_minor,
        credited_at
    from invoices
    where credited_minor > 0
    {%- if var('revenue_refunds') == 'with_cancellation' %}

    union all

    -- The part of a refund that no credit note has given back already.
    select
        refunds.refund_id as credit_id,
        'refund' as credit_type,
        cast(null as string) as credit_note_id,
        refunds.invoice_id,
        cast(null as string) as invoice_line_id,
        cast(
            round(
                least(
                    refunds.refunded_minor,
                    refunds.refunded_to_date_minor - invoices.returned_minor
                ) * invoices.net_rate
            ) as bigint
        ) as net_minor,
        refunds.created_at as credited_at
    from refunds
    inner join invoices
        on refunds.invoice_id = invoices.invoice_id
    where refunds.refunded_to_date_minor > invoices.returned_minor
    {%- endif %}

)

select * from final
