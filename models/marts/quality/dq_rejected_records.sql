with

stg_audit__files as (

    select * from {{ ref('stg_audit__files') }}

),

stg_audit__rejected_records as (

    select * from {{ ref('stg_audit__rejected_records') }}

),

final as (

    select
        stg_audit__rejected_records.batch_id,
        stg_audit__files.source_system,
        stg_audit__rejected_records.source_file,
        stg_audit__rejected_records.source_row,
        stg_audit__rejected_records.field_name,
        stg_audit__rejected_records.reason,
        stg_audit__rejected_records.record_text

    from stg_audit__rejected_records
    left join stg_audit__files
        on
            stg_audit__rejected_records.batch_id = stg_audit__files.batch_id
            and stg_audit__rejected_records.source_file = stg_audit__files.source_file

)

select * from final
