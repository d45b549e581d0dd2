-- Proves that what a charge returned is what its refunds add up to, or its own total where that
-- holds more refunds than were exported, and that no more succeeded than that total. A join of
-- charges to refunds doubles a charge with two refunds and still has the right refunds, and a
-- failed refund looks like any other; only the charge's own total shows either. The total counts
-- only where the charge is not older than its refunds, because an export by creation date holds the
-- charge as it was before the refund.
with

fct_payments as (

    select * from {{ ref('fct_payments') }}

),

fct_refunds as (

    select * from {{ ref('fct_refunds') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

refunds as (

    select
        fct_refunds.charge_id,
        sum(fct_refunds.refunded_amount) as refunded_amount,
        coalesce(
            sum(int_payment_refunds_linked.refunded_minor) filter (
                where fct_refunds.refund_status = 'succeeded'
            ),
            0
        ) as succeeded_minor,
        max(int_payment_refunds_linked._extracted_at) as last_extracted_at

    from fct_refunds
    inner join int_payment_refunds_linked
        on fct_refunds.refund_id = int_payment_refunds_linked.refund_id
    inner join int_payments_linked
        on
            fct_refunds.charge_id = int_payments_linked.charge_id
            and fct_refunds.currency = int_payments_linked.currency
    group by fct_refunds.charge_id

),

final as (

    select
        fct_payments.charge_id,
        fct_payments.refunded_amount,
        refunds.refunded_amount as amount_of_refunds,
        refunds.succeeded_minor as succeeded_minor_of_refunds,
        int_payments_linked.stated_refunded_minor,
        {{ minor_to_major(
            'int_payments_linked.stated_refunded_minor', 'int_payments_linked.minor_unit_exponent'
        ) }} as stated_refunded_amount,
        int_payments_linked._extracted_at >= refunds.last_extracted_at as is_total_newer

    from fct_payments
    inner join int_payments_linked
        on fct_payments.charge_id = int_payments_linked.charge_id
    inner join refunds
        on fct_payments.charge_id = refunds.charge_id

)

select * from final
where
    (is_total_newer and refunded_amount != greatest(amount_of_refunds, stated_refunded_amount))
    or (is_total_newer and succeeded_minor_of_refunds > stated_refunded_minor)
    or (not is_total_newer and refunded_amount != amount_of_refunds)
