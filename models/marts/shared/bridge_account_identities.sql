with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

final as (

    select
        account_id,
        source_system,
        foreign_type,
        foreign_id,
        match_rule,
        match_confidence

    from int_account_identities
    where foreign_type != 'customer'

    union all

    select
        account_id,
        'stripe' as source_system,
        'customer' as foreign_type,
        stripe_customer_id as foreign_id,
        match_rule,
        match_confidence

    from int_customer_accounts

)

select * from final
