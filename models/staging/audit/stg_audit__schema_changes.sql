with

source as (

    select * from {{ source('audit', 'schema_changes') }}

),

final as (

    select
        batch_id,
        source_system,
        object_name,
        field as field_name,
        change as change_type,
        old_type,
        new_type

    from source

)

select * from final
