{%- set up_to_now = '(partition by test_id order by invoked_at, invocation_id'
    ~ ' rows between unbounded preceding and current row)' -%}
{%- set since_last_pass = '(partition by test_id, failure_run_number order by run_number'
    ~ ' rows between unbounded preceding and current row)' -%}

with

stg_audit__test_results as (

    select * from {{ ref('stg_audit__test_results') }}

),

evaluated as (

    select
        invocation_id,
        test_id,
        test_name,
        test_type,
        tested_model,
        column_name,
        severity,
        status,
        failure_count,
        duration_seconds,
        message,
        failures_relation,
        invoked_at,
        status in ('pass', 'success') as is_passed,
        row_number() over (partition by test_id order by invoked_at, invocation_id) as run_number,
        row_number() over (
            partition by test_id
            order by invoked_at desc, invocation_id desc
        ) = 1 as is_latest,
        max(case when status in ('pass', 'success') then invoked_at end) over {{ up_to_now }}
            as last_passed_at,
        min(case when status not in ('pass', 'success') then invoked_at end) over {{ up_to_now }}
            as first_failed_at

    from stg_audit__test_results

),

-- A run of failures lasts from one pass to the next.
failure_runs as (

    select
        invocation_id,
        test_id,
        test_name,
        test_type,
        tested_model,
        column_name,
        severity,
        status,
        failure_count,
        duration_seconds,
        message,
        failures_relation,
        invoked_at,
        is_passed,
        is_latest,
        run_number,
        last_passed_at,
        first_failed_at,
        sum(case when is_passed then 1 else 0 end) over (
            partition by test_id
            order by run_number
            rows between unbounded preceding and current row
        ) as failure_run_number

    from evaluated

),

final as (

    select
        invocation_id,
        test_id,
        test_name,
        test_type,
        tested_model,
        column_name,
        severity,
        status,
        failure_count,
        duration_seconds,
        message,
        failures_relation,
        is_passed,
        is_latest,
        cast(sum(case when is_passed then 0 else 1 end) over {{ since_last_pass }} as integer)
            as consecutive_failure_count,
        case
            when not is_passed
                then min(case when not is_passed then invoked_at end) over {{ since_last_pass }}
        end as failing_since_at,
        first_failed_at,
        last_passed_at,
        invoked_at

    from failure_runs

)

select * from final
