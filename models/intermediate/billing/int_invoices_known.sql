{{ config(materialized='view') }}

{%- set columns = [
    'invoice_id', 'stripe_customer_id', 'subscription_id', 'invoice_number', 'status',
    'billing_reason', 'collection_method', 'currency', 'subtotal_minor', 'discount_amount_minor',
    'tax_minor', 'total_minor', 'shipping_minor', 'billing_credit_minor', 'starting_balance_minor',
    'ending_balance_minor', 'amount_due_minor', 'overpaid_minor', 'amount_paid_minor',
    'amount_remaining_minor', 'out_of_band_minor',
    'pre_payment_credit_notes_minor', 'post_payment_credit_notes_minor', 'lines', 'payments',
    'attempt_count', 'has_more_lines', 'created_at', 'finalized_at', 'effective_at', 'due_at',
    'paid_at', 'voided_at', 'marked_uncollectible_at', 'period_start_at', 'period_end_at',
] %}

with

stg_stripe__invoice_events as (

    select * from {{ ref('stg_stripe__invoice_events') }}

),

stg_stripe__invoice_payments as (

    select * from {{ ref('stg_stripe__invoice_payments') }}

),

listed_payments as (

    select
        invoice_id,
        {{ sorted_list(struct({
            'invoice_payment_id': 'invoice_payment_id',
            'charge_id': 'charge_id',
            'payment_intent_id': 'payment_intent_id',
            'status': 'status',
            'amount_paid_minor': 'amount_paid_minor',
            'paid_at': 'paid_at',
        })) }} as payments,
        sum(amount_paid_minor) filter (where status = 'paid') as paid_minor,
        coalesce(sum(amount_paid_minor) filter (
            where status = 'paid' and coalesce(charge_id, payment_intent_id) is null
        ), 0) as out_of_band_minor
    from stg_stripe__invoice_payments
    where not is_deleted
    group by invoice_id

),

-- Extracts are read from their model twice, because DuckDB materializes a CTE that is read twice,
-- with all the lines.
newer_events as (

    select
        stg_stripe__invoice_events.{{ columns | join(',\n        stg_stripe__invoice_events.') }},
        stg_stripe__invoice_events.is_deleted,
        stg_stripe__invoice_events.occurred_at

    from stg_stripe__invoice_events
    left join {{ ref('stg_stripe__invoices') }} as extracted_invoices
        on stg_stripe__invoice_events.invoice_id = extracted_invoices.invoice_id
    where
        stg_stripe__invoice_events.is_deleted
        or (
            not stg_stripe__invoice_events.is_superseded
            and coalesce(
                stg_stripe__invoice_events.occurred_at > extracted_invoices._extracted_at
                and not extracted_invoices.is_deleted,
                extracted_invoices.invoice_id is null
            )
        )

),

known as (

    select
        extracted_invoices.{{ columns | join(',\n        extracted_invoices.') }},
        extracted_invoices._extracted_at as observed_at

    from {{ ref('stg_stripe__invoices') }} as extracted_invoices
    where
        not extracted_invoices.is_deleted
        and extracted_invoices.invoice_id not in (
            select newer_events.invoice_id from newer_events
        )

    union all

    select
        {{ columns | join(',\n        ') }},
        occurred_at as observed_at

    from newer_events
    where not is_deleted

),

-- Stripe lists the payments in their invoice only when asked to. What was paid outside Stripe is
-- known where the payments that were exported are all of them.
final as (

    select
        {%- for column in columns if column not in ('payments', 'out_of_band_minor') %}
        known.{{ column }},
        {%- endfor %}
        coalesce(
            known.out_of_band_minor,
            case
                when
                    listed_payments.paid_minor
                    >= known.amount_paid_minor - coalesce(known.overpaid_minor, 0)
                    then listed_payments.out_of_band_minor
            end
        ) as out_of_band_minor,
        case
            when coalesce({{ list_length('known.payments') }}, 0) > 0 then known.payments
            else coalesce(listed_payments.payments, known.payments)
        end as payments,
        known.observed_at

    from known
    left join listed_payments
        on known.invoice_id = listed_payments.invoice_id

)

select * from final
