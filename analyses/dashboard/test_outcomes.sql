-- How many tests passed in their last run?
with

dq_test_results as (

    select * from {{ ref('dq_test_results') }}

),

final as (

    select
        status,
        count(*) as test_count

    from dq_test_results
    where is_latest
    group by status

)

select * from final
order by status
