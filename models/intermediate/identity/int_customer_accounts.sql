with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

final as (

    select
        foreign_id as stripe_customer_id,
        account_id

    from int_account_identities
    where foreign_type = 'customer'

)

select * from final
