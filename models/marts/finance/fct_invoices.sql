with

int_invoices_totaled as (

    select * from {{ ref('int_invoices_totaled') }}

),

final as (

    select
        invoice_id,
        account_id,
        stripe_customer_id,
        subscription_id,

        invoice_number,
        invoice_status,
        billing_reason,
        collection_method,
        currency,
        {{ minor_to_major('subtotal_minor') }} as subtotal_amount,
        {{ minor_to_major('discount_minor') }} as discount_amount,
        {{ minor_to_major('tax_minor') }} as tax_amount,
        {{ minor_to_major('shipping_minor') }} as shipping_amount,
        {{ minor_to_major('billing_credit_minor') }} as billing_credit_amount,
        {{ minor_to_major('total_minor') }} as total_amount,
        {{ minor_to_major('net_minor') }} as net_amount,
        {{ minor_to_major('balance_applied_minor') }} as balance_applied_amount,
        {{ minor_to_major('due_minor') }} as due_amount,
        {{ minor_to_major('pre_payment_credit_minor') }} as pre_payment_credit_amount,
        {{ minor_to_major('paid_minor') }} as paid_amount,
        {{ minor_to_major('remaining_minor') }} as remaining_amount,
        {{ minor_to_major('post_payment_credit_minor') }} as post_payment_credit_amount,
        {{ minor_to_major('charged_minor') }} as charged_amount,
        {{ minor_to_major('refunded_minor') }} as refunded_amount,
        {{ to_usd(minor_to_major('total_minor')) }} as total_usd,
        {{ to_usd(minor_to_major('net_minor')) }} as net_usd,
        {{ to_usd(minor_to_major('due_minor')) }} as due_usd,
        {{ to_usd(minor_to_major('paid_minor')) }} as paid_usd,
        {{ to_usd(minor_to_major('remaining_minor')) }} as remaining_usd,
        {{ to_usd(minor_to_major('refunded_minor')) }} as refunded_usd,
        cast(line_count as integer) as line_count,
        cast(charge_count as integer) as charge_count,
        attempt_count,

        has_missing_lines,
        is_revenue,

        created_at,
        finalized_at,
        due_at,
        paid_at,
        voided_at,
        marked_uncollectible_at,
        period_start_at,
        period_end_at

    from int_invoices_totaled

)

select * from final
