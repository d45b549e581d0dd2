{%- set collected_amount = minor_to_major('int_payments_linked.collected_minor') -%}
{%- set kept_amount = collected_amount
    ~ ' - reversals.refunded_amount - reversals.dispute_lost_amount' -%}
{#- What is taken back in another currency, at the rates of the charge's month. -#}
{%- set taken_usd = to_usd(
    minor_to_major('parts.taken_minor', 'parts.minor_unit_exponent'),
    'int_usd_rates_monthly.usd_per_unit', 'parts.currency', 'int_payments_linked.rate_month'
) -%}
{%- set charge_rate = required_rate(
    'int_payments_linked.usd_per_unit', 'int_payments_linked.currency',
    'int_payments_linked.rate_month', 'parts.taken_minor != 0'
) -%}

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

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

parts as (

    select
        charge_id,
        currency,
        minor_unit_exponent,
        true as is_refund,
        refunded_minor as taken_minor,
        refunded_minor != 0 as is_counted,
        _extracted_at

    from int_payment_refunds_linked

    union all

    select
        charge_id,
        currency,
        minor_unit_exponent,
        false as is_refund,
        lost_minor as taken_minor,
        not is_inquiry as is_counted,
        cast(null as timestamp) as _extracted_at

    from int_payment_disputes_linked

),

-- A dispute, as its own object, may be in another currency than the charge.
converted as (

    select
        parts.charge_id,
        parts.is_refund,
        parts.is_counted,
        case
            when parts.currency = int_payments_linked.currency
                then {{ minor_to_major('parts.taken_minor', 'parts.minor_unit_exponent') }}
            else cast({{ ratio(taken_usd, charge_rate) }} as decimal(28, 6))
        end as taken_amount,
        parts._extracted_at

    from parts
    inner join int_payments_linked
        on parts.charge_id = int_payments_linked.charge_id
    left join int_usd_rates_monthly
        on
            parts.currency = int_usd_rates_monthly.currency
            and int_payments_linked.rate_month = int_usd_rates_monthly.rate_month

),

totals as (

    select
        charge_id,
        count(*) filter (where is_refund and is_counted) as refund_count,
        sum(taken_amount) filter (where is_refund) as refunded_amount,
        max(_extracted_at) as refunds_extracted_at,
        count(*) filter (where not is_refund and is_counted) as dispute_count,
        sum(taken_amount) filter (where not is_refund) as dispute_lost_amount

    from converted
    group by charge_id

),

-- The charge's own total holds refunds that were not exported. A charge that is older than its
-- refunds has not counted them all.
reversals as (

    select
        int_payments_linked.charge_id,
        coalesce(totals.refund_count, 0) as refund_count,
        cast(
            case
                when totals.refunds_extracted_at > int_payments_linked._extracted_at
                    then totals.refunded_amount
                else
                    greatest(
                        coalesce(totals.refunded_amount, 0),
                        {{ minor_to_major('int_payments_linked.stated_refunded_minor') }}
                    )
            end as decimal(28, 6)
        ) as refunded_amount,
        coalesce(totals.dispute_count, 0) as dispute_count,
        cast(coalesce(totals.dispute_lost_amount, 0) as decimal(28, 6)) as dispute_lost_amount

    from int_payments_linked
    left join totals
        on int_payments_linked.charge_id = totals.charge_id

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
        {{ collected_amount }} as collected_amount,
        reversals.refunded_amount,
        reversals.dispute_lost_amount,
        cast({{ kept_amount }} as decimal(28, 6)) as kept_amount,
        {{ to_usd(minor_to_major('int_payments_linked.amount_minor')) }} as amount_usd,
        {{ to_usd(collected_amount) }} as collected_usd,
        {{ to_usd('reversals.refunded_amount') }} as refunded_usd,
        {{ to_usd('(' ~ kept_amount ~ ')') }} as kept_usd,

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
        reversals.refunded_amount > 0 as is_refunded,
        reversals.dispute_count > 0 as is_disputed,

        int_payments_linked.created_at

    from int_payments_linked
    inner join reversals
        on int_payments_linked.charge_id = reversals.charge_id

)

select * from final
