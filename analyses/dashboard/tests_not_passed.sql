-- Which tests of the data did not pass in their last run, and since when?
with

dq_test_results as (

    select * from {{ ref('dq_test_results') }}

),

final as (

    select
        test_name,
        coalesce(tested_model, 'several models') as tested_model,
        status,
        failure_count,
        cast(failing_since_at as date) as failing_since_date,
        consecutive_failure_count

    from dq_test_results
    where is_latest and not is_passed

)

select * from final
order by
    status,
    test_name
