{%- set columns = [
    'invoice_line_id', 'subscription_id', 'subscription_item_id', 'invoice_item_id', 'price_id',
    'product_id', 'line_type', 'description', 'quantity', 'amount_minor', 'discount_amount_minor',
    'tax_minor', 'inclusive_tax_minor', 'discount_amounts', 'is_proration', 'period_start_at',
    'period_end_at',
] %}
{%- set earned_from_date -%}
    cast(
        coalesce(
            lines.period_start_at,
            lines.period_end_at,
            int_invoices_dated.valued_at
        ) as date
    )
{%- endset -%}

with

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

stg_stripe__invoice_line_items as (

    select * from {{ ref('stg_stripe__invoice_line_items') }}

),

-- A line that is missing from the complete list of its invoice was removed from it. Both kinds of
-- invoice are read from the model, because DuckDB materializes a CTE that is read twice.
lines_of_complete_lists as (

    select
        invoice_id,
        {{ explode('lines') }} as line
    from {{ ref('int_invoices_known') }}
    where not has_more_lines

),

lines_of_partial_lists as (

    select
        invoice_id,
        {{ explode('lines') }} as line,
        observed_at
    from {{ ref('int_invoices_known') }}
    where has_more_lines

),

-- A long invoice shows only its first lines. The others are exported as objects of their own.
lines_of_long_invoices as (

    select
        invoice_id,
        line.{{ columns | join(',\n        line.') }},
        observed_at
    from lines_of_partial_lists

    union all

    select
        invoice_id,
        {{ columns | join(',\n        ') }},
        _extracted_at as observed_at
    from stg_stripe__invoice_line_items
    where
        invoice_id in (
            select known.invoice_id
            from {{ ref('int_invoices_known') }} as known
            where known.has_more_lines or known.lines is null
        )

),

lines as (

    select
        invoice_id,
        line.{{ columns | join(',\n        line.') }}
    from lines_of_complete_lists

    union all

    select
        invoice_id,
        {{ columns | join(',\n        ') }}
    from lines_of_long_invoices
    qualify
        row_number() over (
            partition by invoice_id, invoice_line_id
            order by observed_at desc, amount_minor desc
        ) = 1

),

-- A line without a period, or with one of less than a day, is earned on a single day.
final as (

    select
        lines.invoice_line_id,
        lines.invoice_id,
        int_invoices_dated.account_id,
        int_invoices_dated.stripe_customer_id,
        coalesce(
            lines.subscription_id, int_invoices_dated.subscription_id
        ) as subscription_id,
        lines.subscription_item_id,
        lines.invoice_item_id,
        lines.price_id,
        lines.product_id,

        lines.line_type,
        lines.description,
        int_invoices_dated.currency,
        int_invoices_dated.minor_unit_exponent,
        int_invoices_dated.rate_month,
        int_invoices_dated.usd_per_unit,

        lines.quantity,
        lines.amount_minor,
        lines.discount_amount_minor as discount_minor,
        lines.tax_minor,
        lines.inclusive_tax_minor,
        lines.amount_minor
        - lines.discount_amount_minor
        - lines.inclusive_tax_minor as net_minor,
        lines.discount_amounts,

        lines.is_proration,
        int_invoices_dated.is_revenue,

        int_invoices_dated.finalized_at,
        lines.period_start_at,
        lines.period_end_at,
        {{ earned_from_date }} as earned_from_date,
        greatest(
            coalesce(
                cast(lines.period_end_at as date), {{ earned_from_date }}
            ),
            cast({{ dbt.dateadd('day', 1, earned_from_date) }} as date)
        ) as earned_to_date

    from lines
    inner join int_invoices_dated
        on lines.invoice_id = int_invoices_dated.invoice_id

)

select * from final
