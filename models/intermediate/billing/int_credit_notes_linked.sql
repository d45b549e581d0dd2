with

currencies as (

    select * from {{ ref('currencies') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

stg_stripe__credit_notes as (

    select * from {{ ref('stg_stripe__credit_notes') }}

),

stg_stripe__refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

refunds_listed as (

    select
        credit_note_id,
        currency,
        {{ explode('refunds') }} as listed_refund
    from stg_stripe__credit_notes

),

refunds_named as (

    select
        credit_note_id,
        currency,
        listed_refund.refund_id,
        listed_refund.refunded_minor
    from refunds_listed

),

-- Until API version acacia a note names a refund without an amount. All of it is for the note.
refunds as (

    select
        refunds_named.credit_note_id,
        cast(
            sum(coalesce(refunds_named.refunded_minor, stg_stripe__refunds.amount_minor)) as bigint
        ) as refunded_minor

    from refunds_named
    left join stg_stripe__refunds
        on
            refunds_named.refund_id = stg_stripe__refunds.refund_id
            and refunds_named.currency = stg_stripe__refunds.currency
    group by refunds_named.credit_note_id

),

-- A credit note takes back revenue that was booked at the rate of its invoice, so it has that rate.
credit_notes as (

    select
        stg_stripe__credit_notes.credit_note_id,
        stg_stripe__credit_notes.invoice_id,
        coalesce(
            stg_stripe__credit_notes.stripe_customer_id, int_invoices_dated.stripe_customer_id
        ) as stripe_customer_id,
        stg_stripe__credit_notes.credit_note_number,
        stg_stripe__credit_notes.credit_note_type,
        stg_stripe__credit_notes.reason,
        stg_stripe__credit_notes.currency,
        {{ month_start(
            'coalesce(int_invoices_dated.finalized_at, stg_stripe__credit_notes.effective_at,'
            ' stg_stripe__credit_notes.created_at)'
        ) }} as rate_month,

        stg_stripe__credit_notes.total_minor,
        coalesce(
            stg_stripe__credit_notes.discount_amount_minor,
            {{ list_transform(
                'stg_stripe__credit_notes.lines', 'element.discount_amount_minor', 'sum'
            ) }}
        ) as discount_minor,
        stg_stripe__credit_notes.tax_minor,
        coalesce(
            stg_stripe__credit_notes.total_excluding_tax_minor,
            stg_stripe__credit_notes.total_minor - stg_stripe__credit_notes.tax_minor
        ) as net_minor,
        stg_stripe__credit_notes.pre_payment_minor,
        stg_stripe__credit_notes.post_payment_minor,
        coalesce(stg_stripe__credit_notes.out_of_band_minor, 0) as out_of_band_minor,
        stg_stripe__credit_notes.lines,
        stg_stripe__credit_notes.refunds,
        stg_stripe__credit_notes.customer_balance_transaction_id,

        stg_stripe__credit_notes.voided_at is not null
        or coalesce(stg_stripe__credit_notes.status, 'issued') = 'void' as is_void,
        -- The write-off has taken back all that a later note could.
        coalesce(int_invoices_dated.is_revenue, true)
        {%- if var('revenue_write_offs') == 'reverse' %}
        and coalesce(
            int_invoices_dated.invoice_status != 'uncollectible'
            or int_invoices_dated.marked_uncollectible_at >= stg_stripe__credit_notes.created_at,
            true
        )
        {%- endif %}
            as is_of_revenue_invoice,
        {%- if var('revenue_corrections') == 'restate' %}
        coalesce(stg_stripe__credit_notes.effective_at, stg_stripe__credit_notes.created_at)
            as issued_at,
        {%- else %}
        greatest(stg_stripe__credit_notes.effective_at, stg_stripe__credit_notes.created_at)
            as issued_at,
        {%- endif %}
        stg_stripe__credit_notes.voided_at

    from stg_stripe__credit_notes
    left join int_invoices_dated
        on stg_stripe__credit_notes.invoice_id = int_invoices_dated.invoice_id
    where not stg_stripe__credit_notes.is_deleted

),

final as (

    select
        credit_notes.credit_note_id,
        credit_notes.invoice_id,
        int_customer_accounts.account_id,
        credit_notes.stripe_customer_id,
        credit_notes.credit_note_number,
        credit_notes.credit_note_type,
        credit_notes.reason,
        credit_notes.currency,
        {{ required_exponent('currencies.stripe_minor_unit_exponent', 'credit_notes.currency') }}
            as minor_unit_exponent,
        credit_notes.rate_month,
        int_usd_rates_monthly.usd_per_unit,

        credit_notes.total_minor,
        credit_notes.discount_minor,
        credit_notes.tax_minor,
        credit_notes.net_minor,
        credit_notes.pre_payment_minor,
        credit_notes.post_payment_minor,
        credit_notes.out_of_band_minor,
        coalesce(refunds.refunded_minor, 0) as refunded_minor,
        credit_notes.lines,
        credit_notes.refunds,
        credit_notes.customer_balance_transaction_id,

        credit_notes.is_void,
        credit_notes.is_of_revenue_invoice and not credit_notes.is_void as is_revenue,
        credit_notes.issued_at,
        credit_notes.voided_at

    from credit_notes
    left join refunds
        on credit_notes.credit_note_id = refunds.credit_note_id
    left join int_customer_accounts
        on credit_notes.stripe_customer_id = int_customer_accounts.stripe_customer_id
    left join currencies
        on credit_notes.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            credit_notes.currency = int_usd_rates_monthly.currency
            and credit_notes.rate_month = int_usd_rates_monthly.rate_month

)

select * from final
