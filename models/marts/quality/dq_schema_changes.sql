with

stg_audit__batches as (

    select * from {{ ref('stg_audit__batches') }}

),

stg_audit__schema_changes as (

    select * from {{ ref('stg_audit__schema_changes') }}

),

final as (

    select
        stg_audit__schema_changes.batch_id,
        stg_audit__batches.batch_date,
        stg_audit__schema_changes.source_system,
        stg_audit__schema_changes.object_name,
        stg_audit__schema_changes.field_name,
        stg_audit__schema_changes.change_type,
        stg_audit__schema_changes.old_type,
        stg_audit__schema_changes.new_type

    from stg_audit__schema_changes
    left join stg_audit__batches
        on stg_audit__schema_changes.batch_id = stg_audit__batches.batch_id

)

select * from final
