with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_invoices_totaled as (

    select * from {{ ref('int_invoices_totaled') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

stripe_accounts as (

    select
        foreign_id as stripe_customer_id,
        account_id
    from bridge_account_identities
    where source_system = 'stripe'

),

refunds as (

    select
        invoice_id,
        cast(sum(refunded_minor) as bigint) as refunded_minor
    from int_payment_refunds_linked
    group by invoice_id

),

invoices as (

    select
        int_invoices_totaled.*,
        int_invoices_totaled.total_minor
        - int_invoices_totaled.tax_minor
        - int_invoices_totaled.shipping_minor
        + int_invoices_totaled.billing_credit_minor as net_minor,
        coalesce(refunds.refunded_minor, 0) as refunded_minor,
        coalesce(int_invoices_totaled.finalized_at, int_invoices_totaled.created_at) as valued_at

    from int_invoices_totaled
    left join refunds
        on int_invoices_totaled.invoice_id = refunds.invoice_id

),

rated as (

    select
        invoices.*,
        stripe_accounts.account_id,
        int_billing_rates_monthly.stripe_minor_unit_exponent,
        int_billing_rates_monthly.usd_per_unit

    from invoices
    left join int_billing_rates_monthly
        on
            invoices.currency = int_billing_rates_monthly.currency
            and {{ month_start('invoices.valued_at') }}
            = int_billing_rates_monthly.rate_month
    left join stripe_accounts
        on invoices.stripe_customer_id = stripe_accounts.stripe_customer_id

),

valued as (

    select
        *,
        {{ minor_to_major('subtotal_minor', 'stripe_minor_unit_exponent') }} as subtotal_amount,
        {{ minor_to_major('discount_minor', 'stripe_minor_unit_exponent') }} as discount_amount,
        {{ minor_to_major('tax_minor', 'stripe_minor_unit_exponent') }} as tax_amount,
        {{ minor_to_major('shipping_minor', 'stripe_minor_unit_exponent') }} as shipping_amount,
        {{ minor_to_major('billing_credit_minor', 'stripe_minor_unit_exponent') }}
            as billing_credit_amount,
        {{ minor_to_major('total_minor', 'stripe_minor_unit_exponent') }} as total_amount,
        {{ minor_to_major('net_minor', 'stripe_minor_unit_exponent') }} as net_amount,
        {{ minor_to_major('balance_applied_minor', 'stripe_minor_unit_exponent') }}
            as balance_applied_amount,
        {{ minor_to_major('due_minor', 'stripe_minor_unit_exponent') }} as due_amount,
        {{ minor_to_major('pre_payment_credit_minor', 'stripe_minor_unit_exponent') }}
            as pre_payment_credit_amount,
        {{ minor_to_major('paid_minor', 'stripe_minor_unit_exponent') }} as paid_amount,
        {{ minor_to_major('remaining_minor', 'stripe_minor_unit_exponent') }} as remaining_amount,
        {{ minor_to_major('post_payment_credit_minor', 'stripe_minor_unit_exponent') }}
            as post_payment_credit_amount,
        {{ minor_to_major('charged_minor', 'stripe_minor_unit_exponent') }} as charged_amount,
        {{ minor_to_major('refunded_minor', 'stripe_minor_unit_exponent') }} as refunded_amount

    from rated

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
        subtotal_amount,
        discount_amount,
        tax_amount,
        shipping_amount,
        billing_credit_amount,
        total_amount,
        net_amount,
        balance_applied_amount,
        due_amount,
        pre_payment_credit_amount,
        paid_amount,
        remaining_amount,
        post_payment_credit_amount,
        charged_amount,
        refunded_amount,
        cast(total_amount * usd_per_unit as decimal(28, 6)) as total_usd,
        cast(net_amount * usd_per_unit as decimal(28, 6)) as net_usd,
        cast(due_amount * usd_per_unit as decimal(28, 6)) as due_usd,
        cast(paid_amount * usd_per_unit as decimal(28, 6)) as paid_usd,
        cast(remaining_amount * usd_per_unit as decimal(28, 6)) as remaining_usd,
        cast(refunded_amount * usd_per_unit as decimal(28, 6)) as refunded_usd,
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

    from valued

)

select * from final
