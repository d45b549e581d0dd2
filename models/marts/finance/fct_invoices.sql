{#- An export may leave out the totals of discounts and taxes. The lines have them. -#}
{%- set discount_minor = 'coalesce(int_invoices_dated.discount_minor, '
    ~ 'line_totals.discount_minor, 0)' -%}
{%- set tax_minor = 'coalesce(int_invoices_dated.tax_minor, line_totals.tax_minor, 0)' -%}
{%- set net_minor -%}
    int_invoices_dated.total_minor
    - {{ tax_minor }}
    - int_invoices_dated.shipping_minor
    + int_invoices_dated.billing_credit_minor
{%- endset -%}
{%- set charged_minor = 'coalesce(charge_totals.charged_minor, 0)' -%}
{%- set refunded_minor = 'coalesce(refund_totals.refunded_minor, 0)' -%}

with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

line_totals as (

    select
        invoice_id,
        count(*) as line_count,
        sum(amount_minor) as amount_minor,
        cast(sum(discount_minor) as bigint) as discount_minor,
        cast(sum(tax_minor + inclusive_tax_minor) as bigint) as tax_minor,
        sum(amount_minor - discount_minor + tax_minor) as total_minor

    from int_invoice_lines_netted
    group by invoice_id

),

charge_totals as (

    select
        invoice_id,
        currency as charged_currency,
        count(*) as charge_count,
        cast(sum(collected_minor) as bigint) as charged_minor

    from int_payments_linked
    where invoice_id is not null
    group by
        invoice_id,
        currency

),

refund_totals as (

    select
        invoice_id,
        currency as refunded_currency,
        cast(sum(refunded_minor) as bigint) as refunded_minor
    from int_payment_refunds_linked
    group by
        invoice_id,
        currency

),

final as (

    select
        int_invoices_dated.invoice_id,
        int_invoices_dated.account_id,
        int_invoices_dated.stripe_customer_id,
        int_invoices_dated.subscription_id,

        int_invoices_dated.invoice_number,
        int_invoices_dated.invoice_status,
        int_invoices_dated.billing_reason,
        int_invoices_dated.collection_method,
        int_invoices_dated.currency,
        {{ minor_to_major('int_invoices_dated.subtotal_minor') }} as subtotal_amount,
        {{ minor_to_major(discount_minor) }} as discount_amount,
        {{ minor_to_major(tax_minor) }} as tax_amount,
        {{ minor_to_major('int_invoices_dated.shipping_minor') }} as shipping_amount,
        {{ minor_to_major('int_invoices_dated.billing_credit_minor') }} as billing_credit_amount,
        {{ minor_to_major('int_invoices_dated.total_minor') }} as total_amount,
        {{ minor_to_major(net_minor) }} as net_amount,
        {{ minor_to_major('int_invoices_dated.balance_applied_minor') }} as balance_applied_amount,
        {{ minor_to_major('int_invoices_dated.due_minor') }} as due_amount,
        {{ minor_to_major('int_invoices_dated.pre_payment_credit_minor') }}
            as pre_payment_credit_amount,
        {{ minor_to_major('int_invoices_dated.paid_minor') }} as paid_amount,
        {{ minor_to_major('int_invoices_dated.overpaid_minor') }} as overpaid_amount,
        {{ minor_to_major('int_invoices_dated.out_of_band_minor') }} as out_of_band_amount,
        {{ minor_to_major('int_invoices_dated.remaining_minor') }} as remaining_amount,
        {{ minor_to_major('int_invoices_dated.written_off_minor') }} as written_off_amount,
        {{ minor_to_major('int_invoices_dated.post_payment_credit_minor') }}
            as post_payment_credit_amount,
        {{ minor_to_major(charged_minor) }} as charged_amount,
        {{ minor_to_major(refunded_minor) }} as refunded_amount,
        {{ to_usd(minor_to_major('int_invoices_dated.total_minor')) }} as total_usd,
        {{ to_usd(minor_to_major(net_minor)) }} as net_usd,
        {{ to_usd(minor_to_major('int_invoices_dated.due_minor')) }} as due_usd,
        {{ to_usd(minor_to_major('int_invoices_dated.paid_minor')) }} as paid_usd,
        {{ to_usd(minor_to_major('int_invoices_dated.remaining_minor')) }} as remaining_usd,
        {{ to_usd(minor_to_major('int_invoices_dated.written_off_minor')) }} as written_off_usd,
        {{ to_usd(minor_to_major(refunded_minor)) }} as refunded_usd,
        cast(coalesce(line_totals.line_count, 0) as integer) as line_count,
        cast(coalesce(charge_totals.charge_count, 0) as integer) as charge_count,
        int_invoices_dated.attempt_count,

        -- An item's discount may already be off the subtotal, so the total decides too.
        (int_invoices_dated.has_more_lines or line_totals.invoice_id is null)
        and coalesce(line_totals.amount_minor, 0) != int_invoices_dated.subtotal_minor
        and coalesce(line_totals.total_minor, 0)
        != int_invoices_dated.total_minor
        - int_invoices_dated.shipping_minor
        + int_invoices_dated.billing_credit_minor as has_missing_lines,
        int_invoices_dated.is_revenue,

        int_invoices_dated.created_at,
        int_invoices_dated.finalized_at,
        int_invoices_dated.due_at,
        int_invoices_dated.paid_at,
        int_invoices_dated.voided_at,
        int_invoices_dated.marked_uncollectible_at,
        int_invoices_dated.period_start_at,
        int_invoices_dated.period_end_at

    from int_invoices_dated
    left join line_totals
        on int_invoices_dated.invoice_id = line_totals.invoice_id
    left join charge_totals
        on
            int_invoices_dated.invoice_id = charge_totals.invoice_id
            and int_invoices_dated.currency = charge_totals.charged_currency
    left join refund_totals
        on
            int_invoices_dated.invoice_id = refund_totals.invoice_id
            and int_invoices_dated.currency = refund_totals.refunded_currency

)

select * from final
