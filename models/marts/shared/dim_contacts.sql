with

int_contacts_placed as (

    select * from {{ ref('int_contacts_placed') }}

)

select * from int_contacts_placed
