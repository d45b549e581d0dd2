with

source as (

    select * from {{ source('audit', 'landed_objects') }}

),

final as (

    select
        batch_id,
        source_file,
        source_system,
        object_name,
        rows_landed as landed_count,
        id_checksum

    from source

)

select * from final
