-- Proves that the parts of each credit note and balance transaction in the marts are those that
-- Stripe states. A comparison of totals would miss a part that is taken for another, such as a
-- credit after the payment for one before it.
{# Mart, staging model and key, and the parts by their names in either. -#}
{%- set objects = {
    ('fct_credit_notes', 'stg_stripe__credit_notes', 'credit_note_id'): {
        'pre_payment_amount': 'pre_payment_minor',
        'post_payment_amount': 'post_payment_minor',
        'tax_amount': 'tax_minor',
    },
    ('fct_balance_transactions', 'stg_stripe__balance_transactions', 'balance_transaction_id'): {
        'fee_amount': 'fee_minor',
        'net_amount': 'net_minor',
    },
} -%}
with

currencies as (

    select * from {{ ref('currencies') }}

),

parts as (
    {% for (mart, staging, key), names in objects.items() -%}
    {%- set outer = loop %}
    {%- for in_mart, in_staging in names.items() %}
    select
        mart.{{ key }} as object_id,
        '{{ in_mart }}' as part,
        coalesce(mart.{{ in_mart }}, 0) as mart_amount,
        coalesce(
            {{ minor_to_major('staging.' ~ in_staging, 'currencies.stripe_minor_unit_exponent') }},
            0
        ) as staged_amount

    from {{ ref(mart) }} as mart
    inner join {{ ref(staging) }} as staging
        on mart.{{ key }} = staging.{{ key }}
    left join currencies
        on staging.currency = currencies.currency
    {%- if not (loop.last and outer.last) %}

    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}

)

select
    object_id,
    part,
    mart_amount,
    staged_amount
from parts
where mart_amount != staged_amount
