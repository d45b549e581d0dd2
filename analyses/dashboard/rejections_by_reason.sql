-- Why are records rejected? The records themselves may hold personal data and are not listed.
with

dq_rejected_records as (

    select * from {{ ref('dq_rejected_records') }}

),

final as (

    select
        coalesce(source_system, 'unknown') as source_system,
        coalesce(nullif(field_name, ''), 'whole record') as field_name,
        reason,
        count(*) as record_count,
        max(batch_id) as last_batch_id

    from dq_rejected_records
    group by
        coalesce(source_system, 'unknown'),
        coalesce(nullif(field_name, ''), 'whole record'),
        reason

)

select * from final
order by
    record_count desc,
    source_system asc,
    field_name asc,
    reason asc
