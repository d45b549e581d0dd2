with

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

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
        {{ minor_to_major('amount_minor') }} as amount,
        {{ minor_to_major('refunded_minor') }} as refunded_amount,
        {{ to_usd(minor_to_major('amount_minor')) }} as amount_usd,
        {{ to_usd(minor_to_major('refunded_minor')) }} as refunded_usd,
        refunded_minor != 0 as is_counted,
        has_charge,
        created_at

    from int_payment_refunds_linked

)

select * from final
