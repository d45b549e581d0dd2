-- Warns of charges whose own total of refunds is more than the exported refunds add up to.
-- `fct_payments` has the total, `fct_refunds` only what was exported, so a sum over each would
-- differ without a word.
{{ config(severity='warn') }}

with

fct_payments as (

    select * from {{ ref('fct_payments') }}

),

fct_refunds as (

    select * from {{ ref('fct_refunds') }}

),

refunds as (

    select
        charge_id,
        currency,
        sum(refunded_amount) as refunded_amount
    from fct_refunds
    group by
        charge_id,
        currency

)

select
    fct_payments.charge_id,
    fct_payments.currency,
    fct_payments.refunded_amount,
    coalesce(refunds.refunded_amount, 0) as amount_of_refunds

from fct_payments
left join refunds
    on
        fct_payments.charge_id = refunds.charge_id
        and fct_payments.currency = refunds.currency
where fct_payments.refunded_amount > coalesce(refunds.refunded_amount, 0)
