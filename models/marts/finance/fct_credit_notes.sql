with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_credit_notes_totaled as (

    select * from {{ ref('int_credit_notes_totaled') }}

),

stripe_accounts as (

    select
        foreign_id as stripe_customer_id,
        account_id
    from bridge_account_identities
    where source_system = 'stripe'

),

rated as (

    select
        int_credit_notes_totaled.*,
        stripe_accounts.account_id,
        int_billing_rates_monthly.stripe_minor_unit_exponent,
        int_billing_rates_monthly.usd_per_unit

    from int_credit_notes_totaled
    left join int_billing_rates_monthly
        on
            int_credit_notes_totaled.currency = int_billing_rates_monthly.currency
            and {{ month_start('int_credit_notes_totaled.valued_at') }}
            = int_billing_rates_monthly.rate_month
    left join stripe_accounts
        on int_credit_notes_totaled.stripe_customer_id = stripe_accounts.stripe_customer_id

),

valued as (

    select
        *,
        {{ minor_to_major('total_minor', 'stripe_minor_unit_exponent') }} as total_amount,
        {{ minor_to_major('discount_minor', 'stripe_minor_unit_exponent') }} as discount_amount,
        {{ minor_to_major('tax_minor', 'stripe_minor_unit_exponent') }} as tax_amount,
        {{ minor_to_major('net_minor', 'stripe_minor_unit_exponent') }} as net_amount,
        {{ minor_to_major('pre_payment_minor', 'stripe_minor_unit_exponent') }}
            as pre_payment_amount,
        {{ minor_to_major('post_payment_minor', 'stripe_minor_unit_exponent') }}
            as post_payment_amount,
        {{ minor_to_major('refunded_minor', 'stripe_minor_unit_exponent') }} as refunded_amount,
        {{ minor_to_major('out_of_band_minor', 'stripe_minor_unit_exponent') }}
            as out_of_band_amount

    from rated

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
        total_amount,
        discount_amount,
        tax_amount,
        net_amount,
        pre_payment_amount,
        post_payment_amount,
        refunded_amount,
        out_of_band_amount,
        cast(total_amount * usd_per_unit as decimal(28, 6)) as total_usd,
        cast(net_amount * usd_per_unit as decimal(28, 6)) as net_usd,
        is_void,
        not is_void and is_of_counted_invoice as is_revenue,
        issued_at,
        voided_at

    from valued

)

select * from final
