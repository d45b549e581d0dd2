with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

final as (

    select
        invoice_line_id,
        invoice_id,
        account_id,
        stripe_customer_id,
        subscription_id,
        subscription_item_id,
        invoice_item_id,
        price_id,
        product_id,

        line_type,
        description,
        currency,
        quantity,
        {{ minor_to_major('amount_minor') }} as amount,
        {{ minor_to_major('discount_minor') }} as discount_amount,
        {{ minor_to_major('tax_minor') }} as tax_amount,
        {{ minor_to_major('inclusive_tax_minor') }} as inclusive_tax_amount,
        {{ minor_to_major('net_minor') }} as net_amount,
        {{ to_usd(minor_to_major('amount_minor')) }} as amount_usd,
        {{ to_usd(minor_to_major('discount_minor')) }} as discount_usd,
        {{ to_usd(minor_to_major('net_minor')) }} as net_usd,

        is_proration,
        is_revenue,

        finalized_at,
        period_start_at,
        period_end_at,
        earned_from_date,
        earned_to_date

    from int_invoice_lines_netted

)

select * from final
