{%- set kept_minor -%}
    int_payments_linked.collected_minor
    - reversals.refunded_minor
    - reversals.dispute_lost_minor
{%- endset -%}

with

int_payment_disputes_linked as (

    select * from {{ ref('int_payment_disputes_linked') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

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

-- Without an exported refund, the charge's own total says what was refunded.
reversals as (

    select
        int_payments_linked.charge_id,
        coalesce(refunds.refund_count, 0) as refund_count,
        coalesce(refunds.refunded_minor, int_payments_linked.stated_refunded_minor)
            as refunded_minor,
        coalesce(disputes.dispute_count, 0) as dispute_count,
        coalesce(disputes.dispute_lost_minor, 0) as dispute_lost_minor

    from int_payments_linked
    left join refunds
        on int_payments_linked.charge_id = refunds.charge_id
    left join disputes
        on int_payments_linked.charge_id = disputes.charge_id

),

final as (

    select
        int_payments_linked.charge_id,
        int_payments_linked.invoice_id,
        int_payments_linked.account_id,
        int_payments_linked.stripe_customer_id,
        int_payments_linked.payment_intent_id,

        int_payments_linked.charge_status as payment_status,
        int_payments_linked.failure_code,
        coalesce(int_payments_linked.outcome_reason, int_payments_linked.failure_code)
            as failure_reason,
        int_payments_linked.failure_message,
        int_payments_linked.payment_method_type,
        int_payments_linked.card_brand,
        int_payments_linked.card_country,
        cast(int_payments_linked.attempt_number as integer) as attempt_number,

        int_payments_linked.currency,
        {{ minor_to_major('int_payments_linked.amount_minor') }} as amount,
        {{ minor_to_major('int_payments_linked.collected_minor') }} as collected_amount,
        {{ minor_to_major('reversals.refunded_minor') }} as refunded_amount,
        {{ minor_to_major('reversals.dispute_lost_minor') }} as dispute_lost_amount,
        {{ minor_to_major(kept_minor) }} as kept_amount,
        {{ to_usd(minor_to_major('int_payments_linked.amount_minor')) }} as amount_usd,
        {{ to_usd(minor_to_major('int_payments_linked.collected_minor')) }} as collected_usd,
        {{ to_usd(minor_to_major('reversals.refunded_minor')) }} as refunded_usd,
        {{ to_usd(minor_to_major(kept_minor)) }} as kept_usd,

        int_payments_linked.settlement_currency,
        {{ minor_to_major('int_payments_linked.settled_minor', 'settlement_minor_unit_exponent') }}
            as settled_amount,
        {{ minor_to_major('int_payments_linked.fee_minor', 'settlement_minor_unit_exponent') }}
            as fee_amount,
        {{ minor_to_major('int_payments_linked.net_minor', 'settlement_minor_unit_exponent') }}
            as settled_net_amount,
        {{ to_usd(
            minor_to_major('int_payments_linked.fee_minor', 'settlement_minor_unit_exponent'),
            'settlement_usd_per_unit', 'settlement_currency'
        ) }} as fee_usd,

        cast(reversals.refund_count as integer) as refund_count,
        cast(reversals.dispute_count as integer) as dispute_count,
        int_payments_linked.charge_status = 'succeeded' as is_successful,
        reversals.refunded_minor > 0 as is_refunded,
        reversals.dispute_count > 0 as is_disputed,

        int_payments_linked.created_at

    from int_payments_linked
    inner join reversals
        on int_payments_linked.charge_id = reversals.charge_id

)

select * from final
