{%- set billed_fee_minor = "case when balance_component = 'fees' then -amount_minor else 0 end" -%}
{%- set other_fee_minor -%}
    detailed_fee_minor
    - processing_fee_minor
    - payment_method_fee_minor
    - application_fee_minor
    - tax_fee_minor
{%- endset -%}

with

int_balance_transactions_classified as (

    select * from {{ ref('int_balance_transactions_classified') }}

),

int_payment_disputes_linked as (

    select * from {{ ref('int_payment_disputes_linked') }}

),

int_payment_refunds_linked as (

    select * from {{ ref('int_payment_refunds_linked') }}

),

int_payments_linked as (

    select * from {{ ref('int_payments_linked') }}

),

int_payouts_known as (

    select * from {{ ref('int_payouts_known') }}

),

sources as (

    {% for model, key in {
        'int_payments_linked': 'charge_id',
        'int_payment_refunds_linked': 'refund_id',
        'int_payment_disputes_linked': 'dispute_id',
    }.items() -%}
    select
        {{ key }} as source_id,
        charge_id,
        account_id,
        stripe_customer_id
    from {{ model }}
    {%- if not loop.last %}

    union all

    {% endif -%}
    {%- endfor %}

),

-- A payout that Stripe makes on schedule holds what became available since the one before it. The
-- withdrawal of a manual payout reduces it like any other transaction.
derived_items as (

    select
        int_balance_transactions_classified.balance_transaction_id,
        int_payouts_known.payout_id

    from int_balance_transactions_classified
    inner join int_payouts_known
        on
            int_balance_transactions_classified.currency = int_payouts_known.currency
            and int_balance_transactions_classified.available_at <= int_payouts_known.created_at
            and (
                int_payouts_known.previous_created_at is null
                or int_balance_transactions_classified.available_at
                > int_payouts_known.previous_created_at
            )
    where int_payouts_known.item_evidence = 'derived'

),

withdrawals as (

    select
        int_balance_transactions_classified.balance_transaction_id,
        int_payouts_known.payout_id

    from int_balance_transactions_classified
    inner join int_payouts_known
        on int_balance_transactions_classified.source_id = int_payouts_known.payout_id
    where
        int_balance_transactions_classified.reporting_category = 'payout'
        and int_payouts_known.item_evidence is not null

),

final as (

    select
        int_balance_transactions_classified.balance_transaction_id,
        int_balance_transactions_classified.source_id,
        sources.charge_id,
        sources.account_id,
        sources.stripe_customer_id,
        coalesce(
            withdrawals.payout_id,
            int_balance_transactions_classified.stated_payout_id,
            derived_items.payout_id
        ) as payout_id,

        int_balance_transactions_classified.balance_transaction_type as type,
        int_balance_transactions_classified.reporting_category,
        int_balance_transactions_classified.stated_reporting_category,
        int_balance_transactions_classified.balance_component,
        int_balance_transactions_classified.status,
        int_balance_transactions_classified.description,

        int_balance_transactions_classified.currency,
        int_balance_transactions_classified.exchange_rate,
        {{ minor_to_major('int_balance_transactions_classified.amount_minor') }} as amount,
        {%- for name in (
            'fee', 'processing_fee', 'payment_method_fee', 'application_fee', 'tax_fee'
        ) %}
        {{ minor_to_major('int_balance_transactions_classified.' ~ name ~ '_minor') }}
            as {{ name }}_amount,
        {%- endfor %}
        {{ minor_to_major(other_fee_minor) }} as other_fee_amount,
        {{ minor_to_major('fee_minor - detailed_fee_minor') }} as unspecified_fee_amount,
        {{ minor_to_major(billed_fee_minor) }} as billed_fee_amount,
        {{ minor_to_major('fee_minor + ' ~ billed_fee_minor) }} as total_fee_amount,
        {{ minor_to_major('int_balance_transactions_classified.net_minor') }} as net_amount,
        {{ to_usd(minor_to_major('fee_minor + ' ~ billed_fee_minor)) }} as total_fee_usd,
        {{ to_usd(minor_to_major('int_balance_transactions_classified.net_minor')) }} as net_usd,

        withdrawals.payout_id is not null as is_payout_withdrawal,

        int_balance_transactions_classified.created_at,
        int_balance_transactions_classified.available_at

    from int_balance_transactions_classified
    left join sources
        on int_balance_transactions_classified.source_id = sources.source_id
    left join withdrawals
        on
            int_balance_transactions_classified.balance_transaction_id
            = withdrawals.balance_transaction_id
    left join derived_items
        on
            int_balance_transactions_classified.balance_transaction_id
            = derived_items.balance_transaction_id

)

select * from final
