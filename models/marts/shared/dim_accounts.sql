with

int_accounts_described as (

    select * from {{ ref('int_accounts_described') }}

)

select * from int_accounts_described
