with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_accounts_described as (

    select * from {{ ref('int_accounts_described') }}

),

final as (

    select
        int_account_identities.foreign_id as workspace_id,
        int_account_identities.account_id,
        int_accounts_described.is_internal,
        int_accounts_described.is_test

    from int_account_identities
    inner join int_accounts_described
        on int_account_identities.account_id = int_accounts_described.account_id
    where
        int_account_identities.source_system = 'segment'
        and int_account_identities.foreign_type = 'workspace'

)

select * from final
