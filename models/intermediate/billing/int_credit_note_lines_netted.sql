{%- set inclusive_tax -%}
    case
        when coalesce({{ json_string('element', 'tax_behavior') }} = 'inclusive',
            {{ json_string('element', 'inclusive') }} = 'true')
            then {{ json_string('element', 'amount') }}
    end
{%- endset -%}

with

stg_stripe__credit_notes as (

    select * from {{ ref('stg_stripe__credit_notes') }}

),

credit_notes as (

    select
        credit_note_id,
        invoice_id,
        stripe_customer_id,
        currency,
        line_items,
        coalesce(total_excluding_tax_minor, total_minor - tax_minor) as net_minor,
        coalesce(effective_at, created_at) as issued_at

    from stg_stripe__credit_notes
    where
        not is_deleted
        and voided_at is null
        and coalesce(status, 'issued') != 'void'

),

lines as (

    select
        credit_note_id,
        {{ explode(json_array('line_items')) }} as raw_line
    from credit_notes

),

net_lines as (

    select
        credit_note_id,
        {{ json_string('raw_line', 'id') }} as credit_note_line_id,
        {{ json_string('raw_line', 'invoice_line_item') }} as invoice_line_id,
        cast({{ json_string('raw_line', 'amount') }} as bigint)
        - {{ json_list_sum(
            json_value('raw_line', 'discount_amounts'), json_string('element', 'amount')
        ) }}
        - {{ json_list_sum(
            'coalesce('
            ~ json_value('raw_line', 'taxes') ~ ', ' ~ json_value('raw_line', 'tax_amounts')
            ~ ')', inclusive_tax
        ) }} as net_minor

    from lines

),

line_totals as (

    select
        credit_note_id,
        sum(net_minor) as net_minor
    from net_lines
    group by credit_note_id

),

-- Lines that do not add up to the note (a partial page, say) make way for the note as one line.
final as (

    select
        credit_notes.credit_note_id,
        coalesce(net_lines.credit_note_line_id, credit_notes.credit_note_id) as credit_note_line_id,
        net_lines.invoice_line_id,
        credit_notes.invoice_id,
        credit_notes.stripe_customer_id,
        credit_notes.currency,
        coalesce(net_lines.net_minor, credit_notes.net_minor) as net_minor,
        credit_notes.issued_at

    from credit_notes
    left join line_totals
        on
            credit_notes.credit_note_id = line_totals.credit_note_id
            and credit_notes.net_minor = line_totals.net_minor
    left join net_lines
        on line_totals.credit_note_id = net_lines.credit_note_id

)

select * from final
