with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_payment_disputes_linked as (

    select * from {{ ref('int_payment_disputes_linked') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

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
        charge_id,
        count(*) filter (where refunded_minor != 0) as refund_count,
        cast(sum(refunded_minor) as bigint) as refunded_minor

    from int_payment_refunds_linked
    group by charge_id

),

disputes as (

    select
        charge_id,
        count(*) as dispute_count,
        cast(sum(lost_minor) as bigint) as dispute_lost_minor

    from int_payment_disputes_linked
    where not is_inquiry
    group by charge_id

),

-- Without any refund exported the charge's own total says what was given back.
payments as (

    select
        int_payments_linked.*,
        coalesce(refunds.refund_count, 0) as refund_count,
        coalesce(refunds.refunded_minor, int_payments_linked.stated_refunded_minor)
            as refunded_minor,
        coalesce(disputes.dispute_count, 0) as dispute_count,
        coalesce(disputes.dispute_lost_minor, 0) as dispute_lost_minor,
        settlement_rates.stripe_minor_unit_exponent as settlement_exponent,
        settlement_rates.usd_per_unit as settlement_usd_per_unit

    from int_payments_linked
    left join refunds
        on int_payments_linked.charge_id = refunds.charge_id
    left join disputes
        on int_payments_linked.charge_id = disputes.charge_id
    left join int_billing_rates_monthly as settlement_rates
        on
            int_payments_linked.settlement_currency = settlement_rates.currency
            and {{ month_start('int_payments_linked.created_at') }} = settlement_rates.rate_month

),

rated as (

    select
        payments.*,
        stripe_accounts.account_id,
        int_billing_rates_monthly.stripe_minor_unit_exponent,
        int_billing_rates_monthly.usd_per_unit

    from payments
    left join int_billing_rates_monthly
        on
            payments.currency = int_billing_rates_monthly.currency
            and {{ month_start('payments.created_at') }}
            = int_billing_rates_monthly.rate_month
    left join stripe_accounts
        on payments.stripe_customer_id = stripe_accounts.stripe_customer_id

),

valued as (

    select
        *,
        {{ minor_to_major('amount_minor', 'stripe_minor_unit_exponent') }} as amount,
        {{ minor_to_major('collected_minor', 'stripe_minor_unit_exponent') }} as collected_amount,
        {{ minor_to_major('refunded_minor', 'stripe_minor_unit_exponent') }} as refunded_amount,
        {{ minor_to_major('dispute_lost_minor', 'stripe_minor_unit_exponent') }}
            as dispute_lost_amount,
        {{ minor_to_major('settled_minor', 'settlement_exponent') }} as settled_amount,
        {{ minor_to_major('fee_minor', 'settlement_exponent') }} as fee_amount,
        {{ minor_to_major('net_minor', 'settlement_exponent') }} as settled_net_amount

    from rated

),

final as (

    select
        charge_id,
        invoice_id,
        account_id,
        stripe_customer_id,
        payment_intent_id,

        charge_status as payment_status,
        failure_code,
        coalesce(outcome_reason, failure_code) as failure_reason,
        failure_message,
        payment_method_type,
        card_brand,
        card_country,
        cast(attempt_number as integer) as attempt_number,

        currency,
        amount,
        collected_amount,
        refunded_amount,
        dispute_lost_amount,
        cast(collected_amount - refunded_amount - dispute_lost_amount as decimal(28, 6))
            as kept_amount,
        cast(amount * usd_per_unit as decimal(28, 6)) as amount_usd,
        cast(collected_amount * usd_per_unit as decimal(28, 6)) as collected_usd,
        cast(refunded_amount * usd_per_unit as decimal(28, 6)) as refunded_usd,
        cast(
            (collected_amount - refunded_amount - dispute_lost_amount) * usd_per_unit
            as decimal(28, 6)
        ) as kept_usd,

        settlement_currency,
        settled_amount,
        fee_amount,
        settled_net_amount,
        cast(fee_amount * settlement_usd_per_unit as decimal(28, 6)) as fee_usd,

        cast(refund_count as integer) as refund_count,
        cast(dispute_count as integer) as dispute_count,
        charge_status = 'succeeded' as is_successful,
        refunded_amount > 0 as is_refunded,
        dispute_count > 0 as is_disputed,

        created_at

    from valued

)

select * from final
