with

currencies as (

    select * from {{ ref('currencies') }}

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

-- A refund does not say whether it is a test. Its charge does, so a refund without one is left out.
refunds as (

    select
        stg_stripe__refunds.refund_id,
        stg_stripe__refunds.charge_id,
        int_payments_linked.invoice_id,
        int_payments_linked.account_id,
        int_payments_linked.stripe_customer_id,
        coalesce(stg_stripe__refunds.status, 'succeeded') as refund_status,
        stg_stripe__refunds.reason,
        stg_stripe__refunds.failure_reason,
        stg_stripe__refunds.currency,
        {{ month_start('stg_stripe__refunds.created_at') }} as rate_month,
        stg_stripe__refunds.amount_minor,
        stg_stripe__refunds.created_at,
        stg_stripe__refunds._extracted_at

    from stg_stripe__refunds
    inner join int_payments_linked
        on stg_stripe__refunds.charge_id = int_payments_linked.charge_id
    where not stg_stripe__refunds.is_deleted

),

-- Stripe's own total of a charge counts pending refunds too.
final as (

    select
        refunds.refund_id,
        refunds.charge_id,
        refunds.invoice_id,
        refunds.account_id,
        refunds.stripe_customer_id,
        refunds.refund_status,
        refunds.reason,
        refunds.failure_reason,
        row_number() over (
            partition by refunds.charge_id order by refunds.created_at, refunds.refund_id
        ) as refund_number,
        refunds.currency,
        {{ required_exponent('currencies.stripe_minor_unit_exponent', 'refunds.currency') }}
            as minor_unit_exponent,
        refunds.rate_month,
        int_usd_rates_monthly.usd_per_unit,
        refunds.amount_minor,
        case
            when refunds.refund_status in ('failed', 'canceled') then 0
            else refunds.amount_minor
        end as refunded_minor,
        refunds.created_at,
        refunds._extracted_at

    from refunds
    left join currencies
        on refunds.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            refunds.currency = int_usd_rates_monthly.currency
            and refunds.rate_month = int_usd_rates_monthly.rate_month

)

select * from final
