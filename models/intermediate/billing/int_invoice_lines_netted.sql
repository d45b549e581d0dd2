{%- set earned_from_date -%}
    cast(
        coalesce(
            stg_stripe__invoice_lines.period_start_at,
            stg_stripe__invoice_lines.period_end_at,
            int_invoices_dated.valued_at
        ) as date
    )
{%- endset -%}

with

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

stg_stripe__invoice_lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}

),

-- A line without a period, or with one of less than a day, is earned on a single day.
final as (

    select
        stg_stripe__invoice_lines.invoice_line_id,
        stg_stripe__invoice_lines.invoice_id,
        int_invoices_dated.account_id,
        int_invoices_dated.stripe_customer_id,
        coalesce(
            stg_stripe__invoice_lines.subscription_id, int_invoices_dated.subscription_id
        ) as subscription_id,
        stg_stripe__invoice_lines.subscription_item_id,
        stg_stripe__invoice_lines.invoice_item_id,
        stg_stripe__invoice_lines.price_id,
        stg_stripe__invoice_lines.product_id,

        stg_stripe__invoice_lines.line_type,
        stg_stripe__invoice_lines.description,
        int_invoices_dated.currency,
        int_invoices_dated.minor_unit_exponent,
        int_invoices_dated.rate_month,
        int_invoices_dated.usd_per_unit,

        stg_stripe__invoice_lines.quantity,
        stg_stripe__invoice_lines.amount_minor,
        stg_stripe__invoice_lines.discount_amount_minor as discount_minor,
        stg_stripe__invoice_lines.tax_minor,
        stg_stripe__invoice_lines.inclusive_tax_minor,
        stg_stripe__invoice_lines.amount_minor
        - stg_stripe__invoice_lines.discount_amount_minor
        - stg_stripe__invoice_lines.inclusive_tax_minor as net_minor,
        stg_stripe__invoice_lines.discount_amounts,

        stg_stripe__invoice_lines.is_proration,
        int_invoices_dated.is_revenue,

        int_invoices_dated.finalized_at,
        stg_stripe__invoice_lines.period_start_at,
        stg_stripe__invoice_lines.period_end_at,
        {{ earned_from_date }} as earned_from_date,
        greatest(
            coalesce(
                cast(stg_stripe__invoice_lines.period_end_at as date), {{ earned_from_date }}
            ),
            cast({{ dbt.dateadd('day', 1, earned_from_date) }} as date)
        ) as earned_to_date

    from stg_stripe__invoice_lines
    inner join int_invoices_dated
        on stg_stripe__invoice_lines.invoice_id = int_invoices_dated.invoice_id

)

select * from final
