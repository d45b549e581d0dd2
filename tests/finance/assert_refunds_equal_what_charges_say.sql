-- Proves that the refunded total on a charge is the sum of its refunds that count. A join of
-- charges to refunds doubles a charge with two refunds and still has the right refunds, and a
-- failed refund looks like any other; only the charge's own total shows either. Checked only where
-- the charge is not older than its refunds, because an export by creation date holds the charge as
-- it was before the refund.
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
        cast(sum(int_payment_refunds_linked.refunded_minor) as bigint) as refunded_minor,
        max(int_payment_refunds_linked._extracted_at) as last_extracted_at

    from fct_refunds
    inner join int_payment_refunds_linked
        on fct_refunds.refund_id = int_payment_refunds_linked.refund_id
    group by fct_refunds.charge_id

),

final as (

    select
        fct_payments.charge_id,
        fct_payments.refunded_amount,
        refunds.refunded_amount as amount_of_refunds,
        refunds.refunded_minor as minor_of_refunds,
        int_payments_linked.stated_refunded_minor

    from fct_payments
    inner join int_payments_linked
        on fct_payments.charge_id = int_payments_linked.charge_id
    inner join refunds
        on fct_payments.charge_id = refunds.charge_id
    where int_payments_linked._extracted_at >= refunds.last_extracted_at

)

select * from final
where
    refunded_amount != amount_of_refunds
    or minor_of_refunds != stated_refunded_minor
