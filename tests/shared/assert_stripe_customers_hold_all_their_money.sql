-- Proves that the totals of Stripe customers are the facts that name a customer, each of them once.
-- A customer that is missing from the dimension, or a join that meets one twice, changes the sum.
{%- set facts = {
    'billed_usd': "sum(total_usd) from " ~ ref('fct_invoices')
        ~ " where is_revenue and stripe_customer_id is not null",
    'remaining_usd': "sum(remaining_usd) from " ~ ref('fct_invoices')
        ~ " where stripe_customer_id is not null",
    'refunded_usd': "sum(refunded_usd) from " ~ ref('fct_refunds')
        ~ " where stripe_customer_id is not null",
    'fee_usd': "sum(total_fee_usd) from " ~ ref('fct_balance_transactions')
        ~ " where stripe_customer_id is not null",
    'failed_charge_count': "count(*) from " ~ ref('fct_payments')
        ~ " where payment_status = 'failed' and stripe_customer_id is not null",
} %}

with

dim_stripe_customers as (

    select * from {{ ref('dim_stripe_customers') }}

),

compared as (

    {% for measure, total in facts.items() -%}
    select
        '{{ measure }}' as measure,
        coalesce(sum({{ measure }}), 0) as customer_total,
        coalesce((select {{ total }}), 0) as fact_total
    from dim_stripe_customers
    {%- if not loop.last %}

    union all

    {% endif -%}
    {%- endfor %}

)

select * from compared
where customer_total != fact_total
