with

fct_balance_transactions as (

    select * from {{ ref('fct_balance_transactions') }}

),

int_payouts_known as (

    select * from {{ ref('int_payouts_known') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

items as (

    select
        payout_id,
        count(*) as transaction_count,
        sum(net_amount) as net_amount

    from fct_balance_transactions
    where not is_payout_withdrawal
    group by payout_id

),

payouts as (

    select
        int_payouts_known.payout_id,
        int_payouts_known.balance_transaction_id,
        int_payouts_known.original_payout_id,
        int_payouts_known.reversed_by_payout_id,
        int_payouts_known.status,
        int_payouts_known.schedule,
        int_payouts_known.method,
        int_payouts_known.destination_type,
        int_payouts_known.reconciliation_status,
        int_payouts_known.failure_code,
        int_payouts_known.failure_message,
        int_payouts_known.currency,
        {{ required_exponent(
            'currencies.stripe_minor_unit_exponent', 'int_payouts_known.currency'
        ) }} as minor_unit_exponent,
        int_payouts_known.amount_minor,
        int_payouts_known.item_evidence,
        int_payouts_known.is_exported,
        int_payouts_known.created_at,
        int_payouts_known.arrival_date

    from int_payouts_known
    left join currencies
        on int_payouts_known.currency = currencies.currency

),

final as (

    select
        payouts.payout_id,
        payouts.balance_transaction_id,
        payouts.original_payout_id,
        payouts.reversed_by_payout_id,
        payouts.status,
        payouts.schedule,
        payouts.method,
        payouts.destination_type,
        payouts.reconciliation_status,
        payouts.failure_code,
        payouts.failure_message,
        payouts.currency,
        {{ minor_to_major('payouts.amount_minor') }} as amount,
        case when items.payout_id is not null then payouts.item_evidence end as item_evidence,
        cast(coalesce(items.transaction_count, 0) as integer) as transaction_count,
        cast(items.net_amount as decimal(28, 6)) as itemised_amount,
        cast({{ minor_to_major('payouts.amount_minor') }} - items.net_amount as decimal(28, 6))
            as difference_amount,
        payouts.is_exported,
        coalesce({{ minor_to_major('payouts.amount_minor') }} = items.net_amount, false)
            as is_reconciled,
        payouts.created_at,
        payouts.arrival_date

    from payouts
    left join items
        on payouts.payout_id = items.payout_id

)

select * from final
