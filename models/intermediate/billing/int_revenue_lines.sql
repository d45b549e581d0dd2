with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_credit_notes_linked as (

    select * from {{ ref('int_credit_notes_linked') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

credited_lines as (

    select
        credit_note_id,
        {{ explode('lines') }} as line
    from int_credit_notes_linked
    where is_revenue

),

net_credited_lines as (

    select
        credit_note_id,
        line.credit_note_line_id,
        line.invoice_line_id,
        line.amount_minor - line.discount_amount_minor - line.inclusive_tax_minor as net_minor

    from credited_lines

),

credited_totals as (

    select
        credit_note_id,
        sum(net_minor) as net_minor
    from net_credited_lines
    group by credit_note_id

),

-- Where the lines do not add up to their note, as on a partial page, the note is the one line.
revenue_lines as (

    select
        invoice_line_id as revenue_line_id,
        'invoice_line' as revenue_line_type,
        invoice_id,
        cast(null as string) as credit_note_id,
        invoice_line_id,
        account_id,
        stripe_customer_id,
        currency,
        minor_unit_exponent,
        rate_month,
        usd_per_unit,
        net_minor,
        finalized_at as billed_at,
        earned_from_date,
        earned_to_date

    from int_invoice_lines_netted
    where is_revenue

    union all

    select
        coalesce(
            net_credited_lines.credit_note_line_id, int_credit_notes_linked.credit_note_id
        ) as revenue_line_id,
        'credit_note_line' as revenue_line_type,
        int_credit_notes_linked.invoice_id,
        int_credit_notes_linked.credit_note_id,
        net_credited_lines.invoice_line_id,
        int_credit_notes_linked.account_id,
        int_credit_notes_linked.stripe_customer_id,
        int_credit_notes_linked.currency,
        int_credit_notes_linked.minor_unit_exponent,
        int_credit_notes_linked.rate_month,
        int_credit_notes_linked.usd_per_unit,
        -coalesce(net_credited_lines.net_minor, int_credit_notes_linked.net_minor) as net_minor,
        int_credit_notes_linked.issued_at as billed_at,
        cast(int_credit_notes_linked.issued_at as date) as earned_from_date,
        cast({{ dbt.dateadd(
            'day', 1, 'cast(int_credit_notes_linked.issued_at as date)'
        ) }} as date) as earned_to_date

    from int_credit_notes_linked
    left join credited_totals
        on
            int_credit_notes_linked.credit_note_id = credited_totals.credit_note_id
            and int_credit_notes_linked.net_minor = credited_totals.net_minor
    left join net_credited_lines
        on credited_totals.credit_note_id = net_credited_lines.credit_note_id
    where int_credit_notes_linked.is_revenue

),

final as (

    select
        revenue_lines.revenue_line_id,
        revenue_lines.revenue_line_type,
        revenue_lines.invoice_id,
        revenue_lines.credit_note_id,
        revenue_lines.invoice_line_id,
        revenue_lines.account_id,
        revenue_lines.stripe_customer_id,
        revenue_lines.currency,
        cast(revenue_lines.billed_at as date) as billed_date,
        revenue_lines.earned_from_date,
        revenue_lines.earned_to_date,
        cast(
            {{ dbt.datediff(
                'revenue_lines.earned_from_date', 'revenue_lines.earned_to_date', 'day'
            ) }} as integer
        ) as earning_days,
        {{ minor_to_major('revenue_lines.net_minor') }} as net_amount,
        {{ to_usd(minor_to_major('revenue_lines.net_minor')) }} as net_usd

    from revenue_lines
    cross join int_as_of
    where
        revenue_lines.billed_at <= int_as_of.as_of_at
        and revenue_lines.net_minor != 0

)

select * from final
