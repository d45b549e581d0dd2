with

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

)

select * from int_opportunities_valued
