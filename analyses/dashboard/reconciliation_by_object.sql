-- Is every record of the files in staging, or left out for a known reason?
with

dq_source_reconciliation as (

    select * from {{ ref('dq_source_reconciliation') }}

),

final as (

    select
        concat(source_system, '.', object_name) as source_object,
        sum(file_count) as file_count,
        sum(rejected_count) as rejected_count,
        sum(raw_count) as raw_count,
        sum(duplicate_count + superseded_count) as older_version_count,
        sum(deleted_count + test_mode_count + elsewhere_count) as left_out_count,
        sum(staging_count) as staging_count,
        sum(abs(unexplained_load_count) + abs(unexplained_staging_count)) as unexplained_count

    from dq_source_reconciliation
    group by
        source_system,
        object_name

)

select * from final
order by
    unexplained_count desc,
    source_object asc
