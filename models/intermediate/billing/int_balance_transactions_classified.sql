{#- Of an adjustment without a category, the object that caused it gives one. -#}
{%- set adjustment_category -%}
    case
            when transactions.balance_transaction_type != 'adjustment' then null
            when transactions.source_id like 'd%' and transactions.amount_minor < 0 then 'dispute'
            when transactions.source_id like 'd%' then 'dispute_reversal'
            when transactions.source_id like 're_%' then 'refund_failure'
            else 'other_adjustment'
        end
{%- endset -%}

with

balance_transaction_types as (

    select * from {{ ref('balance_transaction_types') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

reporting_categories as (

    select * from {{ ref('reporting_categories') }}

),

stg_stripe__balance_transactions as (

    select * from {{ ref('stg_stripe__balance_transactions') }}

),

transactions as (

    select
        balance_transaction_id,
        source_id,
        stated_payout_id,
        balance_transaction_type,
        reporting_category,
        status,
        description,
        currency,
        exchange_rate,
        {{ month_start('created_at') }} as rate_month,
        amount_minor,
        coalesce(fee_minor, amount_minor - net_minor, 0) as fee_minor,
        processing_fee_minor,
        payment_method_fee_minor,
        application_fee_minor,
        tax_fee_minor,
        detailed_fee_minor,
        created_at,
        available_at

    from stg_stripe__balance_transactions
    where not is_deleted

),

final as (

    select
        transactions.balance_transaction_id,
        transactions.source_id,
        transactions.stated_payout_id,
        transactions.balance_transaction_type,
        transactions.reporting_category as stated_reporting_category,
        coalesce(reporting_categories.reporting_category, 'other') as reporting_category,
        coalesce(reporting_categories.balance_component, 'other') as balance_component,
        transactions.status,
        transactions.description,
        transactions.currency,
        {{ required_exponent('currencies.stripe_minor_unit_exponent', 'transactions.currency') }}
            as minor_unit_exponent,
        transactions.rate_month,
        int_usd_rates_monthly.usd_per_unit,
        transactions.exchange_rate,
        transactions.amount_minor,
        transactions.fee_minor,
        transactions.amount_minor - transactions.fee_minor as net_minor,
        transactions.processing_fee_minor,
        transactions.payment_method_fee_minor,
        transactions.application_fee_minor,
        transactions.tax_fee_minor,
        transactions.detailed_fee_minor,
        transactions.created_at,
        transactions.available_at

    from transactions
    left join balance_transaction_types
        on
            transactions.balance_transaction_type
            = balance_transaction_types.balance_transaction_type
    left join reporting_categories
        on
            coalesce(
                transactions.reporting_category,
                balance_transaction_types.reporting_category,
                {{ adjustment_category }}
            ) = reporting_categories.reporting_category
    left join currencies
        on transactions.currency = currencies.currency
    left join int_usd_rates_monthly
        on
            transactions.currency = int_usd_rates_monthly.currency
            and transactions.rate_month = int_usd_rates_monthly.rate_month

)

select * from final
