with

source as (

    select * from {{ source('audit', 'batches') }}

),

final as (

    select
        batch_id,
        batch_date,
        extracted_at,
        loaded_at,
        files as file_count,
        rows_read as read_count,
        rows_landed as landed_count,
        rows_rejected as rejected_count

    from source

)

select * from final
