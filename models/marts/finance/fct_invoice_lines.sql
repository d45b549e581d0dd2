with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

stripe_accounts as (

    select
        foreign_id as stripe_customer_id,
        account_id
    from bridge_account_identities
    where source_system = 'stripe'

),

rated as (

    select
        int_invoice_lines_netted.*,
        stripe_accounts.account_id,
        int_billing_rates_monthly.stripe_minor_unit_exponent,
        int_billing_rates_monthly.usd_per_unit

    from int_invoice_lines_netted
    left join int_billing_rates_monthly
        on
            int_invoice_lines_netted.currency = int_billing_rates_monthly.currency
            and {{ month_start('int_invoice_lines_netted.valued_at') }}
            = int_billing_rates_monthly.rate_month
    left join stripe_accounts
        on int_invoice_lines_netted.stripe_customer_id = stripe_accounts.stripe_customer_id

),

valued as (

    select
        *,
        {{ minor_to_major('amount_minor', 'stripe_minor_unit_exponent') }} as amount,
        {{ minor_to_major('discount_minor', 'stripe_minor_unit_exponent') }} as discount_amount,
        {{ minor_to_major('tax_minor', 'stripe_minor_unit_exponent') }} as tax_amount,
        {{ minor_to_major('inclusive_tax_minor', 'stripe_minor_unit_exponent') }}
            as inclusive_tax_amount,
        {{ minor_to_major('net_minor', 'stripe_minor_unit_exponent') }} as net_amount

    from rated

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
        amount,
        discount_amount,
        tax_amount,
        inclusive_tax_amount,
        net_amount,
        cast(amount * usd_per_unit as decimal(28, 6)) as amount_usd,
        cast(discount_amount * usd_per_unit as decimal(28, 6)) as discount_usd,
        cast(net_amount * usd_per_unit as decimal(28, 6)) as net_usd,

        is_proration,
        is_revenue,

        finalized_at,
        period_start_at,
        period_end_at,
        earned_from_date,
        earned_to_date

    from valued

)

select * from final
