{%- set inclusive_tax -%}
    case
        when coalesce({{ json_string('element', 'tax_behavior') }} = 'inclusive',
            {{ json_string('element', 'inclusive') }} = 'true')
            then {{ json_string('element', 'amount') }}
    end
{%- endset -%}

with

int_credit_notes_linked as (

    select * from {{ ref('int_credit_notes_linked') }}

),

lines as (

    select
        credit_note_id,
        {{ explode(json_array('line_items')) }} as raw_line
    from int_credit_notes_linked
    where is_revenue

),

net_lines as (

    select
        credit_note_id,
        {{ json_string('raw_line', 'id') }} as credit_note_line_id,
        {{ json_string('raw_line', 'invoice_line_item') }} as invoice_line_id,
        cast({{ json_string('raw_line', 'amount') }} as bigint)
        - {{ json_list_aggregate(
            'sum', json_value('raw_line', 'discount_amounts'), json_string('element', 'amount')
        ) }}
        - {{ json_list_aggregate(
            'sum', 'coalesce('
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

-- Where the lines do not add up to their note, as on a partial page, the note is the one line.
final as (

    select
        int_credit_notes_linked.credit_note_id,
        coalesce(net_lines.credit_note_line_id, int_credit_notes_linked.credit_note_id)
            as credit_note_line_id,
        net_lines.invoice_line_id,
        int_credit_notes_linked.invoice_id,
        int_credit_notes_linked.account_id,
        int_credit_notes_linked.stripe_customer_id,
        int_credit_notes_linked.currency,
        int_credit_notes_linked.minor_unit_exponent,
        int_credit_notes_linked.rate_month,
        int_credit_notes_linked.usd_per_unit,
        coalesce(net_lines.net_minor, int_credit_notes_linked.net_minor) as net_minor,
        int_credit_notes_linked.issued_at

    from int_credit_notes_linked
    left join line_totals
        on
            int_credit_notes_linked.credit_note_id = line_totals.credit_note_id
            and int_credit_notes_linked.net_minor = line_totals.net_minor
    left join net_lines
        on line_totals.credit_note_id = net_lines.credit_note_id
    where int_credit_notes_linked.is_revenue

)

select * from final
