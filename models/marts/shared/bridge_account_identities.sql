with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

)

select * from int_account_identities
