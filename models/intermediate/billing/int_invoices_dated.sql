with

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

-- Objects written by hand or exported in part may lack an amount or the dates of their status.
complete as (

    select
        * replace (
            coalesce(subtotal_minor, total_minor, amount_due_minor, 0) as subtotal_minor,
            coalesce(total_minor, subtotal_minor, amount_due_minor, 0) as total_minor
        )
    from stg_stripe__invoices
    where not is_deleted

),

dated as (

    select
        *,
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

    from complete

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
        invoice_id,
        stripe_customer_id,
        subscription_id,

        invoice_number,
        coalesce(status, 'draft') as invoice_status,
        billing_reason,
        collection_method,
        currency,

        subtotal_minor,
        discount_amount_minor as discount_minor,
        coalesce(tax_minor, 0) as tax_minor,
        total_minor,
        shipping_minor,
        billing_credit_minor,
        due_minor,
        total_minor - due_minor as balance_applied_minor,
        coalesce(amount_paid_minor, 0) as paid_minor,
        coalesce(amount_remaining_minor, 0) as remaining_minor,
        coalesce(pre_payment_credit_notes_minor, 0) as pre_payment_credit_minor,
        coalesce(post_payment_credit_notes_minor, 0) as post_payment_credit_minor,
        attempt_count,

        has_more_lines,
        billed_at is not null and closed_by_voiding_at is null as is_revenue,

        created_at,
        billed_at as finalized_at,
        due_at,
        closed_by_payment_at as paid_at,
        closed_by_voiding_at as voided_at,
        written_off_at as marked_uncollectible_at,
        least(closed_by_payment_at, closed_by_voiding_at, written_off_at) as closed_at,
        period_start_at,
        period_end_at,
        _extracted_at

    from closed

)

select * from final
