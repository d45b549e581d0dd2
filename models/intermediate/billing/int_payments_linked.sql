{#- Before basil the part of an authorised amount that is not captured is released by a refund, and
    the balance transaction has the whole amount. Since basil there is no such refund. -#}
{%- set released_minor -%}
    (
        case
            when charges.charge_status != 'succeeded' then 0
            when charges.captured_minor = stg_stripe__balance_transactions.amount_minor then 0
            else greatest(charges.amount_minor - charges.captured_minor, 0)
        end
    )
{%- endset -%}
{%- set invoice_id = 'coalesce(stg_stripe__charges.invoice_id, charge_invoices.invoice_id)' -%}

with

currencies as (

    select * from {{ ref('currencies') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

stg_stripe__balance_transactions as (

    select * from {{ ref('stg_stripe__balance_transactions') }}

),

stg_stripe__charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

listed_payments as (

    select
        invoice_id,
        {{ explode('payments') }} as payment
    from {{ ref('int_invoices_known') }}

),

invoice_payments as (

    select
        invoice_id,
        payment.charge_id,
        payment.payment_intent_id
    from listed_payments

),

-- Until API version acacia a charge names its invoice. Since basil the invoice names the charge or
-- its payment intent.
invoice_candidates as (

    select
        charge_id,
        invoice_id,
        1 as preference_number
    from invoice_payments
    where charge_id is not null

    union all

    select
        stg_stripe__charges.charge_id,
        invoice_payments.invoice_id,
        2 as preference_number
    from stg_stripe__charges
    inner join invoice_payments
        on stg_stripe__charges.payment_intent_id = invoice_payments.payment_intent_id

),

charge_invoices as (

    select
        charge_id,
        invoice_id
    from invoice_candidates
    qualify
        row_number() over (partition by charge_id order by preference_number, invoice_id) = 1

),

charges as (

    select
        stg_stripe__charges.charge_id,
        {{ invoice_id }} as invoice_id,
        stg_stripe__charges.stripe_customer_id,
        stg_stripe__charges.payment_intent_id,
        stg_stripe__charges.balance_transaction_id,

        coalesce(
            stg_stripe__charges.status,
            case when stg_stripe__charges.is_paid then 'succeeded' else 'failed' end
        ) as charge_status,
        stg_stripe__charges.currency,
        {{ month_start('stg_stripe__charges.created_at') }} as rate_month,
        stg_stripe__charges.failure_code,
        stg_stripe__charges.failure_message,
        stg_stripe__charges.outcome_reason,
        stg_stripe__charges.payment_method_type,
        stg_stripe__charges.card_brand,
        stg_stripe__charges.card_country,
        row_number() over (
            partition by {{ invoice_id }}
            order by stg_stripe__charges.created_at nulls last, stg_stripe__charges.charge_id
        ) as charge_number,

        stg_stripe__charges.amount_minor,
        coalesce(
            stg_stripe__charges.amount_captured_minor,
            case
                when stg_stripe__charges.is_captured then stg_stripe__charges.amount_minor
                else 0
            end
        ) as captured_minor,
        stg_stripe__charges.amount_refunded_minor,

        stg_stripe__charges.created_at,
        stg_stripe__charges._extracted_at

    from stg_stripe__charges
    left join charge_invoices
        on stg_stripe__charges.charge_id = charge_invoices.charge_id
    where not stg_stripe__charges.is_deleted

),

final as (

    select
        charges.charge_id,
        charges.invoice_id,
        int_customer_accounts.account_id,
        charges.stripe_customer_id,
        charges.payment_intent_id,
        charges.balance_transaction_id,

        charges.charge_status,
        charges.failure_code,
        charges.failure_message,
        charges.outcome_reason,
        charges.payment_method_type,
        charges.card_brand,
        charges.card_country,
        case when charges.invoice_id is not null then charges.charge_number end as attempt_number,

        charges.currency,
        {{ required_exponent('currencies.stripe_minor_unit_exponent', 'charges.currency') }}
            as minor_unit_exponent,
        charges.rate_month,
        int_usd_rates_monthly.usd_per_unit,
        charges.amount_minor,
        case when charges.charge_status = 'succeeded' then charges.captured_minor else 0 end
            as collected_minor,
        {{ released_minor }} as released_minor,
        case
            when charges.amount_refunded_minor is null then null
            when
                charges.amount_refunded_minor = {{ released_minor }}
                or charges.amount_refunded_minor > charges.captured_minor
                or stg_stripe__balance_transactions.amount_minor = charges.amount_minor
                then greatest(charges.amount_refunded_minor - {{ released_minor }}, 0)
            else charges.amount_refunded_minor
        end as stated_refunded_minor,

        stg_stripe__balance_transactions.currency as settlement_currency,
        {{ required_exponent(
            'settlement_currencies.stripe_minor_unit_exponent',
            'stg_stripe__balance_transactions.currency'
        ) }} as settlement_minor_unit_exponent,
        settlement_rates.usd_per_unit as settlement_usd_per_unit,
        stg_stripe__balance_transactions.amount_minor as settled_minor,
        stg_stripe__balance_transactions.fee_minor,
        stg_stripe__balance_transactions.net_minor,

        charges.created_at,
        charges._extracted_at

    from charges
    left join int_customer_accounts
        on charges.stripe_customer_id = int_customer_accounts.stripe_customer_id
    left join currencies
        on charges.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            charges.currency = int_usd_rates_monthly.currency
            and charges.rate_month = int_usd_rates_monthly.rate_month
    left join stg_stripe__balance_transactions
        on charges.balance_transaction_id = stg_stripe__balance_transactions.balance_transaction_id
    left join currencies as settlement_currencies
        on stg_stripe__balance_transactions.currency = settlement_currencies.currency
    left join int_usd_rates_monthly as settlement_rates
        on
            stg_stripe__balance_transactions.currency = settlement_rates.currency
            and charges.rate_month = settlement_rates.rate_month

)

select * from final
