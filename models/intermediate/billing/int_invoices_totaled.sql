with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

line_totals as (

    select
        invoice_id,
        count(*) as line_count,
        cast(sum(amount_minor) as bigint) as line_amount_minor,
        cast(sum(discount_minor) as bigint) as line_discount_minor,
        cast(sum(tax_minor) as bigint) as line_tax_minor,
        cast(sum(inclusive_tax_minor) as bigint) as line_inclusive_tax_minor

    from int_invoice_lines_netted
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

totaled as (

    select
        int_invoices_dated.*,
        coalesce(line_totals.line_count, 0) as line_count,
        coalesce(line_totals.line_amount_minor, 0) as line_amount_minor,
        coalesce(line_totals.line_discount_minor, 0) as line_discount_minor,
        coalesce(line_totals.line_tax_minor, 0) as line_tax_minor,
        coalesce(line_totals.line_inclusive_tax_minor, 0) as line_inclusive_tax_minor,
        coalesce(charge_totals.charge_count, 0) as charge_count,
        coalesce(charge_totals.charged_minor, 0) as charged_minor

    from int_invoices_dated
    left join line_totals
        on int_invoices_dated.invoice_id = line_totals.invoice_id
    left join charge_totals
        on int_invoices_dated.invoice_id = charge_totals.invoice_id

),

-- A discount on an item may be taken off the subtotal already, so the total decides too.
final as (

    select
        *,
        (has_more_lines or line_count = 0)
        and line_amount_minor != subtotal_minor
        and line_amount_minor - line_discount_minor + line_tax_minor
        != total_minor - shipping_minor + billing_credit_minor as has_missing_lines

    from totaled

)

select * from final
