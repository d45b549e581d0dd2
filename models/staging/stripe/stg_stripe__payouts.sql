with

source as (

    select * from {{ source('stripe', 'payouts') }}

),

final as (

    select
        id as payout_id,
        {{ expandable_id('balance_transaction') }} as balance_transaction_id,
        {{ expandable_id('failure_balance_transaction') }} as failure_balance_transaction_id,
        {{ expandable_id('original_payout') }} as original_payout_id,
        {{ expandable_id('reversed_by') }} as reversed_by_payout_id,

        status,
        case when automatic then 'automatic' when not automatic then 'manual' end as schedule,
        type as destination_type,
        method,
        source_type,
        reconciliation_status,
        upper(currency) as currency,
        description,
        statement_descriptor,
        failure_code,
        failure_message,
        metadata,

        amount as amount_minor,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        cast({{ from_epoch('arrival_date') }} as date) as arrival_date,

        _batch_id,
        _extracted_at

    from source
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

)

select * from final
