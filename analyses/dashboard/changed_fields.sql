-- Which fields of the vendors appeared, disappeared or changed type?
with

dq_schema_changes as (

    select * from {{ ref('dq_schema_changes') }}

),

final as (

    select
        batch_id,
        concat(source_system, '.', object_name) as source_object,
        field_name,
        change_type,
        old_type,
        new_type

    from dq_schema_changes

)

select * from final
order by
    batch_id desc,
    source_object asc,
    field_name asc
