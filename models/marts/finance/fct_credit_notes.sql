with

int_credit_notes_linked as (

    select * from {{ ref('int_credit_notes_linked') }}

),

final as (

    select
        credit_note_id,
        invoice_id,
        account_id,
        stripe_customer_id,
        credit_note_number,
        credit_note_type,
        reason,
        currency,
        {{ minor_to_major('total_minor') }} as total_amount,
        {{ minor_to_major('discount_minor') }} as discount_amount,
        {{ minor_to_major('tax_minor') }} as tax_amount,
        {{ minor_to_major('net_minor') }} as net_amount,
        {{ minor_to_major('pre_payment_minor') }} as pre_payment_amount,
        {{ minor_to_major('post_payment_minor') }} as post_payment_amount,
        {{ minor_to_major('refunded_minor') }} as refunded_amount,
        {{ minor_to_major('out_of_band_minor') }} as out_of_band_amount,
        {{ to_usd(minor_to_major('total_minor')) }} as total_usd,
        {{ to_usd(minor_to_major('net_minor')) }} as net_usd,
        is_void,
        is_revenue,
        issued_at,
        voided_at

    from int_credit_notes_linked

)

select * from final
