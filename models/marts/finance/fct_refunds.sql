with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

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

rated as (

    select
        int_payment_refunds_linked.*,
        stripe_accounts.account_id,
        int_billing_rates_monthly.stripe_minor_unit_exponent,
        int_billing_rates_monthly.usd_per_unit

    from int_payment_refunds_linked
    left join int_billing_rates_monthly
        on
            int_payment_refunds_linked.currency = int_billing_rates_monthly.currency
            and {{ month_start('int_payment_refunds_linked.created_at') }}
            = int_billing_rates_monthly.rate_month
    left join stripe_accounts
        on int_payment_refunds_linked.stripe_customer_id = stripe_accounts.stripe_customer_id

),

valued as (

    select
        *,
        {{ minor_to_major('amount_minor', 'stripe_minor_unit_exponent') }} as amount,
        {{ minor_to_major('refunded_minor', 'stripe_minor_unit_exponent') }} as refunded_amount

    from rated

),

final as (

    select
        refund_id,
        charge_id,
        invoice_id,
        account_id,
        stripe_customer_id,
        refund_status,
        reason,
        failure_reason,
        cast(refund_number as integer) as refund_number,
        currency,
        amount,
        refunded_amount,
        cast(amount * usd_per_unit as decimal(28, 6)) as amount_usd,
        cast(refunded_amount * usd_per_unit as decimal(28, 6)) as refunded_usd,
        refunded_minor != 0 as is_counted,
        created_at

    from valued

)

select * from final
