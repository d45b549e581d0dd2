with

int_balance_transactions_classified as (

    select * from {{ ref('int_balance_transactions_classified') }}

),

stg_stripe__payouts as (

    select * from {{ ref('stg_stripe__payouts') }}

),

withdrawals as (

    select
        source_id as payout_id,
        balance_transaction_id,
        currency,
        -amount_minor as amount_minor,
        created_at

    from int_balance_transactions_classified
    where
        reporting_category = 'payout'
        and source_id is not null
    qualify
        row_number() over (
            partition by source_id order by created_at nulls last, balance_transaction_id
        ) = 1

),

stated_payouts as (

    select distinct stated_payout_id as payout_id
    from int_balance_transactions_classified
    where stated_payout_id is not null

),

-- An export may have the ledger without the payouts.
payouts as (

    select
        payout_id,
        balance_transaction_id,
        original_payout_id,
        reversed_by_payout_id,
        status,
        schedule,
        destination_type,
        method,
        reconciliation_status,
        failure_code,
        failure_message,
        currency,
        amount_minor,
        created_at,
        arrival_date,
        true as is_exported

    from stg_stripe__payouts
    where not is_deleted

    union all

    select
        withdrawals.payout_id,
        withdrawals.balance_transaction_id,
        cast(null as string) as original_payout_id,
        cast(null as string) as reversed_by_payout_id,
        cast(null as string) as status,
        cast(null as string) as schedule,
        cast(null as string) as destination_type,
        cast(null as string) as method,
        cast(null as string) as reconciliation_status,
        cast(null as string) as failure_code,
        cast(null as string) as failure_message,
        withdrawals.currency,
        withdrawals.amount_minor,
        withdrawals.created_at,
        cast(null as date) as arrival_date,
        false as is_exported

    from withdrawals
    left join stg_stripe__payouts
        on withdrawals.payout_id = stg_stripe__payouts.payout_id
    where stg_stripe__payouts.payout_id is null

),

-- Stripe chooses the transactions of every payout but manual ones.
scheduled as (

    select
        payouts.payout_id,
        lag(payouts.created_at) over (
            partition by payouts.currency
            order by payouts.created_at nulls last, payouts.payout_id
        ) as previous_created_at

    from payouts
    where coalesce(payouts.schedule, 'automatic') = 'automatic'

),

final as (

    select
        payouts.payout_id,
        payouts.balance_transaction_id,
        payouts.original_payout_id,
        payouts.reversed_by_payout_id,
        payouts.status,
        payouts.schedule,
        payouts.destination_type,
        payouts.method,
        payouts.reconciliation_status,
        payouts.failure_code,
        payouts.failure_message,
        payouts.currency,
        payouts.amount_minor,
        payouts.created_at,
        payouts.arrival_date,
        payouts.is_exported,
        case
            when stated_payouts.payout_id is not null then 'stated'
            when scheduled.payout_id is not null then 'derived'
        end as item_evidence,
        scheduled.previous_created_at

    from payouts
    left join stated_payouts
        on payouts.payout_id = stated_payouts.payout_id
    left join scheduled
        on payouts.payout_id = scheduled.payout_id

)

select * from final
