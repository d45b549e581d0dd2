{%- set measures = [
    'invoice_count', 'billed_usd', 'paid_usd', 'refunded_usd', 'fee_usd', 'failed_charge_count',
] -%}
{#- What happened: the relation, when, whether it counts, and the measures that it adds to. -#}
{%- set facts = [
    ['fct_invoices', 'finalized_at', 'is_revenue', {'invoice_count': '1', 'billed_usd': 'total_usd'}],
    ['payments_outside_stripe', 'paid_at', 'true', {'paid_usd': 'paid_usd'}],
    ['fct_payments', 'created_at', 'is_successful', {'paid_usd': 'collected_usd'}],
    ['fct_payments', 'created_at', "payment_status = 'failed'", {'failed_charge_count': '1'}],
    ['fct_refunds', 'created_at', 'true', {'refunded_usd': 'refunded_usd'}],
    ['fct_balance_transactions', 'created_at', 'true', {'fee_usd': 'total_fee_usd'}],
] -%}

with

currencies as (

    select * from {{ ref('currencies') }}

),

fct_balance_transactions as (

    select * from {{ ref('fct_balance_transactions') }}

),

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

),

fct_payments as (

    select * from {{ ref('fct_payments') }}

),

fct_refunds as (

    select * from {{ ref('fct_refunds') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

stg_stripe__customers as (

    select * from {{ ref('stg_stripe__customers') }}

),

payments_outside_stripe as (

    select
        stripe_customer_id,
        coalesce(paid_at, finalized_at) as paid_at,
        {{ to_usd(minor_to_major('out_of_band_minor')) }} as paid_usd

    from int_invoices_dated
    where out_of_band_minor != 0

),

facts as (

    {% for relation, moment, condition, added in facts -%}
    select
        stripe_customer_id,
        {{ moment }} as occurred_at,
        {%- for measure in measures %}
        {{ added[measure] or 0 }} as {{ measure }},
        {%- endfor %}
        {{ moment if 'paid_usd' in added else 'cast(null as timestamp)' }} as paid_at

    from {{ relation }}
    where {{ condition }}
    {%- if not loop.last %}

    union all

    {% endif -%}
    {%- endfor %}

),

totals as (

    select
        facts.stripe_customer_id,
        {%- for measure in measures %}
        sum(facts.{{ measure }}) as {{ measure }},
        sum(
            case
                when facts.occurred_at > {{ dbt.dateadd('month', -12, 'int_as_of.as_of_at') }}
                    then facts.{{ measure }}
                else 0
            end
        ) as trailing_year_{{ measure }},
        {%- endfor %}
        min(facts.paid_at) as first_paid_at,
        max(facts.paid_at) as last_paid_at

    from facts
    cross join int_as_of
    group by facts.stripe_customer_id

),

outstanding as (

    select
        stripe_customer_id,
        sum(remaining_usd) as remaining_usd

    from fct_invoices
    group by stripe_customer_id

),

final as (

    select
        int_customer_accounts.stripe_customer_id,
        int_customer_accounts.account_id,
        int_stripe_customers_known.customer_name,
        stg_stripe__customers.country,
        stg_stripe__customers.currency,
        stg_stripe__customers.is_delinquent,
        case
            when stg_stripe__customers.balance_minor = 0 then cast(0 as decimal(28, 6))
            else
                {{ minor_to_major(
                    'stg_stripe__customers.balance_minor', 'currencies.stripe_minor_unit_exponent'
                ) }}
        end as balance_amount,
        cast(coalesce(outstanding.remaining_usd, 0) as decimal(28, 6)) as remaining_usd,
        {%- for prefix in ('', 'trailing_year_') %}
        {%- for measure in measures %}
        cast(
            coalesce(totals.{{ prefix ~ measure }}, 0)
            as {{ 'integer' if measure.endswith('_count') else 'decimal(28, 6)' }}
        ) as {{ prefix ~ measure }},
        {%- endfor %}
        {%- endfor %}
        totals.first_paid_at,
        totals.last_paid_at,
        int_customer_accounts.created_at,
        int_stripe_customers_known.deleted_at

    from int_customer_accounts
    left join int_stripe_customers_known
        on
            int_customer_accounts.stripe_customer_id
            = int_stripe_customers_known.stripe_customer_id
    left join stg_stripe__customers
        on int_customer_accounts.stripe_customer_id = stg_stripe__customers.stripe_customer_id
    left join currencies
        on stg_stripe__customers.currency = currencies.currency
    left join totals
        on int_customer_accounts.stripe_customer_id = totals.stripe_customer_id
    left join outstanding
        on int_customer_accounts.stripe_customer_id = outstanding.stripe_customer_id

)

select * from final
