with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_accounts_classified as (

    select * from {{ ref('int_accounts_classified') }}

),

final as (

    select
        int_account_identities.foreign_type,
        int_account_identities.foreign_id,
        int_account_identities.account_id,
        int_account_identities.match_rule,
        int_account_identities.match_confidence,
        int_accounts_classified.is_internal,
        int_accounts_classified.is_test

    from int_account_identities
    inner join int_accounts_classified
        on int_account_identities.account_id = int_accounts_classified.account_id
    where int_account_identities.source_system = 'segment'

)

select * from final
