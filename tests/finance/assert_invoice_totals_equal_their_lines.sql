-- Proves that each invoice's total is the sum of its lines: lines less discounts, plus exclusive
-- tax, plus shipping, less billing credits. A comparison of subtotals alone would miss discounts
-- and taxes that a line has and the invoice does not. The tax on shipping is on no line, so where
-- there is shipping, the total may differ by as much as the tax does. Excludes invoices whose
-- export reports missing lines, which `has_missing_lines` reports.
with

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

),

fct_invoice_lines as (

    select * from {{ ref('fct_invoice_lines') }}

),

lines as (

    select
        invoice_id,
        sum(amount) as amount,
        sum(discount_amount) as discount_amount,
        sum(tax_amount) as tax_amount,
        sum(tax_amount + inclusive_tax_amount) as any_tax_amount

    from fct_invoice_lines
    group by invoice_id

),

final as (

    select
        fct_invoices.invoice_id,
        fct_invoices.total_amount,
        coalesce(lines.amount - lines.discount_amount + lines.tax_amount, 0)
        + fct_invoices.shipping_amount
        - fct_invoices.billing_credit_amount as total_of_lines,
        fct_invoices.discount_amount,
        coalesce(lines.discount_amount, 0) as discount_of_lines,
        fct_invoices.tax_amount,
        coalesce(lines.any_tax_amount, 0) as tax_of_lines,
        case
            when fct_invoices.shipping_amount != 0
                then fct_invoices.tax_amount - coalesce(lines.any_tax_amount, 0)
            else 0
        end as shipping_tax_amount

    from fct_invoices
    left join lines
        on fct_invoices.invoice_id = lines.invoice_id
    where not fct_invoices.has_missing_lines

)

select * from final
where
    total_amount != total_of_lines + shipping_tax_amount
    or discount_amount != discount_of_lines
    or tax_amount != tax_of_lines + shipping_tax_amount
    or shipping_tax_amount < 0
