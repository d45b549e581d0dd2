with

source as (

    select * from {{ source('stripe', 'balance_transactions') }}

),

final as (

    select
        id as balance_transaction_id,
        {{ expandable_id('source') }} as source_id,

        type as balance_transaction_type,
        reporting_category,
        balance_type,
        status,
        description,
        upper(currency) as currency,
        exchange_rate,

        amount as amount_minor,
        fee as fee_minor,
        net as net_minor,
        fee_details,

        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('available_on') }} as available_at,

        _batch_id,
        _extracted_at

    from source
    qualify {{ is_latest_version('id') }}

)

select * from final
