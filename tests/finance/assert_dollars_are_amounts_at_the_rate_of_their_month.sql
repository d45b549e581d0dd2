-- Proves that the dollars of each document are its amount at the rate of the month that values it.
-- Sums of dollars would not show a rate of another month or currency, because every total that is
-- computed from the mart has the same fault. One unit of the last decimal is rounding.
{# Mart and key, the amounts by their dollars, and the date that chooses the rate, if it is not the
   document's own. Lines and credit notes have the rate of their invoice. -#}
{%- set documents = {
    ('fct_invoices', 'invoice_id'): [
        {
            'total_usd': 'total_amount', 'net_usd': 'net_amount', 'due_usd': 'due_amount',
            'paid_usd': 'paid_amount', 'remaining_usd': 'remaining_amount',
            'written_off_usd': 'written_off_amount', 'refunded_usd': 'refunded_amount',
        },
        'coalesce(documents.finalized_at, documents.created_at)',
    ],
    ('fct_invoice_lines', 'invoice_line_id'): [
        {'amount_usd': 'amount', 'discount_usd': 'discount_amount', 'net_usd': 'net_amount'},
        'coalesce(invoices.finalized_at, invoices.created_at)',
    ],
    ('fct_payments', 'charge_id'): [
        {
            'amount_usd': 'amount', 'collected_usd': 'collected_amount',
            'refunded_usd': 'refunded_amount', 'kept_usd': 'kept_amount',
        },
    ],
    ('fct_refunds', 'refund_id'): [
        {'amount_usd': 'amount', 'refunded_usd': 'refunded_amount'},
    ],
    ('fct_disputes', 'dispute_id'): [
        {'amount_usd': 'amount', 'lost_usd': 'lost_amount'},
    ],
    ('fct_credit_notes', 'credit_note_id'): [
        {'total_usd': 'total_amount', 'net_usd': 'net_amount'},
        'coalesce(invoices.finalized_at, documents.issued_at)',
    ],
    ('fct_balance_transactions', 'balance_transaction_id'): [
        {'total_fee_usd': 'total_fee_amount', 'net_usd': 'net_amount'},
    ],
} -%}
{%- set of_invoice = 'left join ' ~ ref('fct_invoices')
    ~ ' as invoices on documents.invoice_id = invoices.invoice_id' %}

with

amounts as (
    {% for (mart, key), rules in documents.items() -%}
    {%- set outer = loop %}
    {%- for usd, amount in rules[0].items() %}
    select
        documents.{{ key }} as document_id,
        '{{ mart }}.{{ usd }}' as dollars,
        documents.currency,
        {{ month_start(rules[1] or 'documents.created_at') }} as rate_month,
        documents.{{ amount }} as native_amount,
        documents.{{ usd }} as stated_usd

    from {{ ref(mart) }} as documents
    {{ of_invoice if 'invoices.' in (rules[1] or '') }}
    {%- if not (loop.last and outer.last) %}

    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}

),

valued as (

    select
        amounts.document_id,
        amounts.dollars,
        amounts.currency,
        amounts.rate_month,
        amounts.native_amount,
        amounts.stated_usd,
        case
            when amounts.native_amount = 0 then 0
            else cast(amounts.native_amount as double) * cast(rates.usd_per_unit as double)
        end as expected_usd

    from amounts
    left join {{ ref('int_usd_rates_monthly') }} as rates
        on
            amounts.currency = rates.currency
            and amounts.rate_month = rates.rate_month

)

select *
from valued
where
    (stated_usd is null) != (expected_usd is null)
    or abs(cast(stated_usd as double) - expected_usd)
    > 0.000001 + 0.000000000001 * abs(expected_usd)
