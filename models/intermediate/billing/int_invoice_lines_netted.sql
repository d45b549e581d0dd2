with

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

stg_stripe__invoice_lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}

),

joined as (

    select
        stg_stripe__invoice_lines.*,
        int_invoices_dated.stripe_customer_id,
        int_invoices_dated.invoice_status,
        int_invoices_dated.currency as invoice_currency,
        coalesce(
            stg_stripe__invoice_lines.subscription_id, int_invoices_dated.subscription_id
        ) as billed_subscription_id,
        int_invoices_dated.is_revenue,
        int_invoices_dated.finalized_at,
        int_invoices_dated.created_at as invoice_created_at,
        cast(
            coalesce(
                stg_stripe__invoice_lines.period_start_at,
                stg_stripe__invoice_lines.period_end_at,
                int_invoices_dated.finalized_at,
                int_invoices_dated.created_at
            ) as date
        ) as earned_from_date

    from stg_stripe__invoice_lines
    inner join int_invoices_dated
        on stg_stripe__invoice_lines.invoice_id = int_invoices_dated.invoice_id

),

-- A period of less than a day, and what has none, is earned on its one day.
final as (

    select
        invoice_line_id,
        invoice_id,
        stripe_customer_id,
        billed_subscription_id as subscription_id,
        subscription_item_id,
        invoice_item_id,
        price_id,
        product_id,

        line_type,
        invoice_status,
        description,
        invoice_currency as currency,
        quantity,
        amount_minor,
        discount_amount_minor as discount_minor,
        tax_minor,
        inclusive_tax_minor,
        amount_minor - discount_amount_minor - inclusive_tax_minor as net_minor,
        discount_amounts,

        is_proration,
        is_revenue,

        finalized_at,
        coalesce(finalized_at, invoice_created_at) as valued_at,
        period_start_at,
        period_end_at,
        earned_from_date,
        case
            when cast(period_end_at as date) > earned_from_date then cast(period_end_at as date)
            else cast({{ dbt.dateadd('day', 1, 'earned_from_date') }} as date)
        end as earned_to_date

    from joined

)

select * from final
