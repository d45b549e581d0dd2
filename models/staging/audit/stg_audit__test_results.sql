with

source as (

    select * from {{ source('audit', 'test_results') }}

),

final as (

    select
        invocation_id,
        test_id,
        test_name,
        test_type,
        tested_node as tested_model,
        column_name,
        severity,
        status,
        failures as failure_count,
        duration_seconds,
        message,
        failures_relation,
        invoked_at

    from source

)

select * from final
