with

source as (

    select * from {{ source('audit', 'rejected_records') }}

),

final as (

    select
        batch_id,
        source_file,
        source_row,
        field as field_name,
        reason,
        record as record_text

    from source

)

select * from final
