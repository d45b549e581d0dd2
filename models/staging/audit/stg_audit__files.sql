with

source as (

    select * from {{ source('audit', 'files') }}

),

final as (

    select
        batch_id,
        source_file,
        source_system,
        object_name,
        sha256,
        bytes as byte_count,
        encoding,
        dialect,
        status as load_status,
        rows_read as read_count,
        rows_landed as landed_count,
        rows_rejected as rejected_count,
        loaded_at

    from source

)

select * from final
