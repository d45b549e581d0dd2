with

int_payment_disputes_linked as (

    select * from {{ ref('int_payment_disputes_linked') }}

),

final as (

    select
        dispute_id,
        charge_id,
        invoice_id,
        account_id,
        stripe_customer_id,
        dispute_status,
        reason,
        network_reason_code,
        currency,
        {{ minor_to_major('amount_minor') }} as amount,
        {{ minor_to_major('lost_minor') }} as lost_amount,
        {{ to_usd(minor_to_major('amount_minor')) }} as amount_usd,
        {{ to_usd(minor_to_major('lost_minor')) }} as lost_usd,
        is_inquiry,
        is_closed,
        created_at,
        evidence_due_at

    from int_payment_disputes_linked

)

select * from final
