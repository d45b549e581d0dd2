{{ config(materialized='view') }}

with

int_credit_notes_linked as (

    select * from {{ ref('int_credit_notes_linked') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

-- A void note never counted, unless corrections are booked when they become known.
notes as (

    select
        credit_note_id,
        invoice_id,
        net_minor,
        issued_at,
        case when is_void then coalesce(voided_at, issued_at) end as voided_at,
        lines
    from int_credit_notes_linked
    where is_revenue or (is_void and '{{ var("revenue_corrections") }}' = 'open_period')

),

listed_lines as (

    select
        credit_note_id,
        {{ explode('lines') }} as line
    from notes

),

note_lines as (

    select
        credit_note_id,
        line.credit_note_line_id,
        line.invoice_line_id,
        line.amount_minor - line.discount_amount_minor - line.inclusive_tax_minor as net_minor,
        sum(line.amount_minor - line.discount_amount_minor - line.inclusive_tax_minor) over (
            partition by credit_note_id
        ) as note_net_minor

    from listed_lines

),

-- Where the lines do not add up to their note, as on a partial page, the note is the one line.
final as (

    select
        coalesce(note_lines.credit_note_line_id, notes.credit_note_id) as credit_note_line_id,
        notes.credit_note_id,
        notes.invoice_id,
        int_invoice_lines_netted.invoice_line_id,
        cast(coalesce(note_lines.net_minor, notes.net_minor) as bigint) as net_minor,
        notes.issued_at,
        notes.voided_at

    from notes
    left join note_lines
        on
            notes.credit_note_id = note_lines.credit_note_id
            and notes.net_minor = note_lines.note_net_minor
    left join int_invoice_lines_netted
        on
            notes.invoice_id = int_invoice_lines_netted.invoice_id
            and note_lines.invoice_line_id = int_invoice_lines_netted.invoice_line_id

)

select * from final
