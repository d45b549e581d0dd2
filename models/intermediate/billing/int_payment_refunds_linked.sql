with

currencies as (

    select * from {{ ref('currencies') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_invoices_known as (

    select * from {{ ref('int_invoices_known') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

stg_stripe__refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

-- A refund may name its payment intent alone. Of the intent's charges, one collected the money.
charges_of_intents as (

    select
        payment_intent_id,
        charge_id
    from int_payments_linked
    where payment_intent_id is not null
    qualify
        row_number() over (
            partition by payment_intent_id
            order by collected_minor desc, created_at desc, charge_id asc
        ) = 1

),

refunds as (

    select
        stg_stripe__refunds.refund_id,
        coalesce(
            named_charges.charge_id, charges_of_intents.charge_id, stg_stripe__refunds.charge_id
        ) as charge_id,
        stg_stripe__refunds.charge_id as named_charge_id,
        stg_stripe__refunds.payment_intent_id,
        stg_stripe__refunds.stripe_customer_id,
        coalesce(stg_stripe__refunds.status, 'succeeded') as refund_status,
        stg_stripe__refunds.reason,
        stg_stripe__refunds.failure_reason,
        stg_stripe__refunds.currency,
        {{ month_start('stg_stripe__refunds.created_at') }} as rate_month,
        stg_stripe__refunds.amount_minor,
        stg_stripe__refunds.created_at,
        stg_stripe__refunds._extracted_at

    from stg_stripe__refunds
    left join int_payments_linked as named_charges
        on stg_stripe__refunds.charge_id = named_charges.charge_id
    left join charges_of_intents
        on stg_stripe__refunds.payment_intent_id = charges_of_intents.payment_intent_id
    where not stg_stripe__refunds.is_deleted

),

listed_payments as (

    select
        invoice_id,
        stripe_customer_id,
        {{ explode('payments') }} as payment
    from int_invoices_known

),

-- The invoice may be in the extracts although the charge that paid it is not.
invoices_of_payments as (

    select
        coalesce(payment.charge_id, payment.payment_intent_id) as payment_reference,
        min(invoice_id) as invoice_id,
        min(stripe_customer_id) as stripe_customer_id
    from listed_payments
    group by coalesce(payment.charge_id, payment.payment_intent_id)

),

linked as (

    select
        refunds.refund_id,
        refunds.charge_id,
        coalesce(
            charges.invoice_id, by_charge.invoice_id, by_intent.invoice_id
        ) as invoice_id,
        coalesce(
            charges.stripe_customer_id,
            refunds.stripe_customer_id,
            by_charge.stripe_customer_id,
            by_intent.stripe_customer_id
        ) as stripe_customer_id,
        charges.charge_id is not null as has_charge,
        refunds.refund_status,
        refunds.reason,
        refunds.failure_reason,
        -- Refunds without a charge have nothing to be counted among.
        case
            when refunds.charge_id is null then 1
            else
                row_number() over (
                    partition by refunds.charge_id
                    order by refunds.created_at nulls last, refunds.refund_id
                )
        end as refund_number,
        refunds.currency,
        refunds.rate_month,
        refunds.amount_minor,
        -- Nothing of an amount that was only authorised is returned.
        case
            when refunds.refund_status in ('failed', 'canceled') then 0
            when
                refunds.reason is null
                and refunds.amount_minor = charges.released_minor
                and row_number() over (
                    partition by refunds.charge_id, refunds.amount_minor, refunds.reason
                    order by refunds.created_at nulls last, refunds.refund_id
                ) = 1
                then 0
            else refunds.amount_minor
        end as refunded_minor,
        refunds.created_at,
        refunds._extracted_at

    from refunds
    left join int_payments_linked as charges
        on refunds.charge_id = charges.charge_id
    left join invoices_of_payments as by_charge
        on refunds.named_charge_id = by_charge.payment_reference
    left join invoices_of_payments as by_intent
        on refunds.payment_intent_id = by_intent.payment_reference

),

-- Stripe's own total of a charge counts pending refunds too.
final as (

    select
        linked.refund_id,
        linked.charge_id,
        linked.invoice_id,
        int_customer_accounts.account_id,
        linked.stripe_customer_id,
        linked.has_charge,
        linked.refund_status,
        linked.reason,
        linked.failure_reason,
        linked.refund_number,
        linked.currency,
        {{ required_exponent('currencies.stripe_minor_unit_exponent', 'linked.currency') }}
            as minor_unit_exponent,
        linked.rate_month,
        int_usd_rates_monthly.usd_per_unit,
        linked.amount_minor,
        linked.refunded_minor,
        linked.created_at,
        linked._extracted_at

    from linked
    left join int_customer_accounts
        on linked.stripe_customer_id = int_customer_accounts.stripe_customer_id
    left join currencies
        on linked.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            linked.currency = int_usd_rates_monthly.currency
            and linked.rate_month = int_usd_rates_monthly.rate_month

)

select * from final
