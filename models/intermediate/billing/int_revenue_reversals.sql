{{ config(materialized='view') }}

with

int_credits_allocated as (

    select * from {{ ref('int_credits_allocated') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

closure_types as (

    select 'void' as closure_type
    {%- if var('revenue_write_offs') == 'reverse' %}

    union all

    select 'write_off' as closure_type

    union all

    select 'write_off_recovered' as closure_type
    {%- endif %}

),

-- What is left of each line when its invoice is written off and when it is voided.
closed_lines as (

    select
        int_invoice_lines_netted.invoice_id,
        int_invoice_lines_netted.invoice_line_id,
        int_invoice_lines_netted.net_minor as line_minor,
        int_invoices_dated.voided_at,
        int_invoices_dated.paid_at as recovered_at,
        case
            when int_invoices_dated.marked_uncollectible_at = int_invoices_dated.closed_at
                then int_invoices_dated.marked_uncollectible_at
        end as written_off_at,
        -- A part that was paid is not written off.
        case
            when int_invoices_dated.invoice_status = 'uncollectible' then coalesce({{ ratio(
                'int_invoices_dated.due_minor - int_invoices_dated.pre_payment_credit_minor'
                ' - int_invoices_dated.paid_minor',
                'int_invoices_dated.due_minor - int_invoices_dated.pre_payment_credit_minor'
                ' + int_invoices_dated.balance_applied_minor'
            ) }}, 1)
            else 1
        end as unpaid_rate,
        min(
            case when int_credits_allocated.ends_service then int_credits_allocated.credited_at end
        ) as service_ended_at,
        coalesce(sum(int_credits_allocated.covered_minor) filter (
            where
            int_credits_allocated.credited_at <= int_invoices_dated.marked_uncollectible_at
        ), 0) as credited_at_write_off_minor,
        coalesce(sum(int_credits_allocated.covered_minor), 0) as credited_at_void_minor

    from int_invoices_dated
    inner join int_invoice_lines_netted
        on int_invoices_dated.invoice_id = int_invoice_lines_netted.invoice_id
    left join int_credits_allocated
        on
            int_invoice_lines_netted.invoice_id = int_credits_allocated.invoice_id
            and int_invoice_lines_netted.invoice_line_id = int_credits_allocated.invoice_line_id
    where
        int_invoices_dated.is_revenue
        and int_invoice_lines_netted.net_minor != 0
        and coalesce(int_invoices_dated.marked_uncollectible_at, int_invoices_dated.voided_at)
        is not null
    group by all

),

written_off_lines as (

    select
        invoice_id,
        invoice_line_id,
        written_off_at,
        recovered_at,
        voided_at,
        service_ended_at,
        line_minor - credited_at_void_minor as left_at_void_minor,
        case
            when written_off_at is null or '{{ var("revenue_write_offs") }}' != 'reverse' then 0
            else cast(round((line_minor - credited_at_write_off_minor) * unpaid_rate) as bigint)
        end as written_off_minor
    from closed_lines

),

closures as (

    select
        written_off_lines.invoice_id,
        written_off_lines.invoice_line_id,
        written_off_lines.service_ended_at,
        closure_types.closure_type,
        case closure_types.closure_type
            when 'write_off' then -written_off_lines.written_off_minor
            when 'write_off_recovered' then written_off_lines.written_off_minor
            else written_off_lines.written_off_minor - written_off_lines.left_at_void_minor
        end as net_minor,
        case closure_types.closure_type
            when 'write_off' then written_off_lines.written_off_at
            when 'write_off_recovered' then written_off_lines.recovered_at
            else written_off_lines.voided_at
        end as closed_at,
        written_off_lines.written_off_at

    from written_off_lines
    cross join closure_types

),

final as (

    select
        part_id as reversal_id,
        credit_type as reversal_type,
        credit_note_id,
        invoice_id,
        invoice_line_id,
        -covered_minor as net_minor,
        credited_at as reversed_at,
        credited_at as earned_until_at,
        true as is_spread,
        0 as left_minor
    from int_credits_allocated
    where is_spread and covered_minor != 0

    union all

    -- A credit at the end of the service, or of more than is left of the line, counts on its day.
    select
        case when is_spread then part_id || '/rest' else part_id end as reversal_id,
        credit_type as reversal_type,
        credit_note_id,
        invoice_id,
        invoice_line_id,
        case when is_spread then covered_minor else 0 end - credited_minor as net_minor,
        credited_at as reversed_at,
        credited_at as earned_until_at,
        false as is_spread,
        case when ends_service then left_minor else 0 end as left_minor
    from int_credits_allocated
    where not is_spread or covered_minor != credited_minor

    union all

    select
        invoice_line_id || '/' || closure_type as reversal_id,
        closure_type as reversal_type,
        cast(null as string) as credit_note_id,
        invoice_id,
        invoice_line_id,
        net_minor,
        closed_at as reversed_at,
        case when closure_type = 'void' then closed_at else written_off_at end as earned_until_at,
        service_ended_at is null or service_ended_at > closed_at as is_spread,
        0 as left_minor
    from closures
    where closed_at is not null and net_minor != 0

)

select * from final
