with

int_accounts_dated as (

    select * from {{ ref('int_accounts_dated') }}

)

select * from int_accounts_dated
