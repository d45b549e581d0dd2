with

source as (

    select * from {{ source('audit', 'erased_records') }}

),

final as (

    select
        batch_id,
        source_system,
        object_name,
        cast(sum(rows_erased) as bigint) as erased_count,
        cast(sum(rows_redacted) as bigint) as redacted_count,
        cast(sum(id_checksum) as decimal(38, 0)) as id_checksum

    from source
    group by
        batch_id,
        source_system,
        object_name

)

select * from final
