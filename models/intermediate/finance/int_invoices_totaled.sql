with

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

stg_stripe__invoice_lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

line_totals as (

    select
        invoice_id,
        count(*) as line_count,
        cast(sum(amount_minor) as bigint) as line_amount_minor,
        cast(sum(discount_amount_minor) as bigint) as line_discount_minor,
        cast(sum(tax_minor) as bigint) as line_tax_minor,
        cast(sum(inclusive_tax_minor) as bigint) as line_inclusive_tax_minor

    from stg_stripe__invoice_lines
    group by invoice_id

),

charge_totals as (

    select
        invoice_id,
        count(*) as charge_count,
        cast(sum(collected_minor) as bigint) as charged_minor

    from int_payments_linked
    where invoice_id is not null
    group by invoice_id

),

dated as (

    select
        *,
        -- Objects written by hand or exported in part may lack the transitions of their status.
        case
            when coalesce(status, 'draft') != 'draft'
                then coalesce(finalized_at, effective_at, created_at)
        end as billed_at,
        -- What was asked for when it was finalised: the balance is used then, credits come later.
        greatest(
            total_minor
            + coalesce(starting_balance_minor, 0)
            - coalesce(ending_balance_minor, 0),
            0
        ) as due_minor

    from stg_stripe__invoices
    where not is_deleted

),

closed as (

    select
        *,
        case when status = 'paid' then coalesce(paid_at, billed_at) else paid_at end
            as closed_by_payment_at,
        case when status = 'void' then coalesce(voided_at, billed_at) else voided_at end
            as closed_by_voiding_at,
        case
            when status = 'uncollectible' then coalesce(marked_uncollectible_at, billed_at)
            else marked_uncollectible_at
        end as written_off_at

    from dated

),

final as (

    select
        closed.invoice_id,
        closed.stripe_customer_id,
        closed.subscription_id,

        closed.invoice_number,
        coalesce(closed.status, 'draft') as invoice_status,
        closed.billing_reason,
        closed.collection_method,
        closed.currency,

        closed.subtotal_minor,
        closed.discount_amount_minor as discount_minor,
        coalesce(closed.tax_minor, 0) as tax_minor,
        closed.total_minor,
        closed.shipping_minor,
        closed.billing_credit_minor,
        closed.due_minor,
        closed.total_minor - closed.due_minor as balance_applied_minor,
        coalesce(closed.amount_paid_minor, 0) as paid_minor,
        coalesce(closed.amount_remaining_minor, 0) as remaining_minor,
        coalesce(closed.pre_payment_credit_notes_minor, 0) as pre_payment_credit_minor,
        coalesce(closed.post_payment_credit_notes_minor, 0) as post_payment_credit_minor,

        coalesce(line_totals.line_count, 0) as line_count,
        coalesce(line_totals.line_amount_minor, 0) as line_amount_minor,
        coalesce(line_totals.line_discount_minor, 0) as line_discount_minor,
        coalesce(line_totals.line_tax_minor, 0) as line_tax_minor,
        coalesce(line_totals.line_inclusive_tax_minor, 0) as line_inclusive_tax_minor,
        coalesce(charge_totals.charge_count, 0) as charge_count,
        coalesce(charge_totals.charged_minor, 0) as charged_minor,
        closed.attempt_count,

        -- A discount on an item may be taken off the subtotal already, so the total decides too.
        (closed.has_more_lines or line_totals.invoice_id is null)
        and coalesce(line_totals.line_amount_minor, 0) != closed.subtotal_minor
        and coalesce(
            line_totals.line_amount_minor
            - line_totals.line_discount_minor
            + line_totals.line_tax_minor,
            0
        ) != closed.total_minor - closed.shipping_minor + closed.billing_credit_minor
            as has_missing_lines,
        closed.billed_at is not null and closed.closed_by_voiding_at is null as is_revenue,

        closed.created_at,
        closed.billed_at as finalized_at,
        closed.due_at,
        closed.closed_by_payment_at as paid_at,
        closed.closed_by_voiding_at as voided_at,
        closed.written_off_at as marked_uncollectible_at,
        least(
            closed.closed_by_payment_at, closed.closed_by_voiding_at, closed.written_off_at
        ) as closed_at,
        closed.period_start_at,
        closed.period_end_at,
        closed._extracted_at

    from closed
    left join line_totals
        on closed.invoice_id = line_totals.invoice_id
    left join charge_totals
        on closed.invoice_id = charge_totals.invoice_id

)

select * from final
