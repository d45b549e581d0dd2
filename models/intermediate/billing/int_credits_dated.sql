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

-- A note that lists no refunds may still have been paid back by one, unless it went to the
-- customer's balance.
note_totals as (

    select
        invoice_id,
        sum(total_minor) as credited_minor,
        sum(post_payment_minor) as post_payment_minor,
        sum(
            case
                when {{ list_length('refunds') }} > 0 then 0
                when customer_balance_transaction_id is not null then 0
                else post_payment_minor - out_of_band_minor
            end
        ) as unlisted_minor
    from int_credit_notes_linked
    where not is_void
    group by invoice_id

),

listed_refunds as (

    select {{ explode('refunds') }} as listed
    from int_credit_notes_linked
    where not is_void

),

-- Until API version acacia a note names a refund without an amount. All of it is for the note.
explained_refunds as (

    select
        listed.refund_id,
        bool_or(listed.refunded_minor is null) as is_whole,
        sum(listed.refunded_minor) as explained_minor
    from listed_refunds
    group by listed.refund_id

),

refunds as (

    select
        linked.refund_id,
        linked.invoice_id,
        linked.currency,
        linked.created_at,
        case
            when explained_refunds.is_whole then 0
            else greatest(linked.refunded_minor - coalesce(explained_refunds.explained_minor, 0), 0)
        end as unexplained_minor
    from int_payment_refunds_linked as linked
    left join explained_refunds
        on linked.refund_id = explained_refunds.refund_id
    where linked.refunded_minor > 0

),

refunds_to_date as (

    select
        refund_id,
        invoice_id,
        currency,
        created_at,
        unexplained_minor,
        sum(unexplained_minor) over (
            partition by invoice_id, currency
            order by created_at nulls last, refund_id
            rows between unbounded preceding and current row
        ) as unexplained_to_date_minor
    from refunds

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
        int_invoices_dated.currency,
        {{ ratio(
            'int_invoices_dated.total_minor - coalesce(int_invoices_dated.tax_minor, 0)',
            'int_invoices_dated.total_minor'
        ) }} as net_rate,
        greatest(
            int_invoices_dated.pre_payment_credit_minor
            + int_invoices_dated.post_payment_credit_minor
            - coalesce(note_totals.credited_minor, 0),
            0
        ) as credited_minor,
        coalesce(note_totals.unlisted_minor, 0)
        + greatest(
            int_invoices_dated.post_payment_credit_minor
            - coalesce(note_totals.post_payment_minor, 0),
            0
        ) as unlisted_minor,
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
        refunds_to_date.refund_id as credit_id,
        'refund' as credit_type,
        cast(null as string) as credit_note_id,
        refunds_to_date.invoice_id,
        cast(null as string) as invoice_line_id,
        cast(
            round(
                least(
                    refunds_to_date.unexplained_minor,
                    refunds_to_date.unexplained_to_date_minor - invoices.unlisted_minor
                ) * invoices.net_rate
            ) as bigint
        ) as net_minor,
        refunds_to_date.created_at as credited_at
    from refunds_to_date
    inner join invoices
        on
            refunds_to_date.invoice_id = invoices.invoice_id
            and refunds_to_date.currency = invoices.currency
    where
        refunds_to_date.unexplained_minor > 0
        and refunds_to_date.unexplained_to_date_minor > invoices.unlisted_minor
    {%- endif %}

)

select * from final
