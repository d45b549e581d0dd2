with

int_sales_reps_described as (

    select * from {{ ref('int_sales_reps_described') }}

)

select * from int_sales_reps_described
