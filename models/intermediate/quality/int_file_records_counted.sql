with

stg_audit__files as (

    select * from {{ ref('stg_audit__files') }}

),

stg_audit__landed_objects as (

    select * from {{ ref('stg_audit__landed_objects') }}

),

landed as (

    select
        batch_id,
        source_file,
        source_system,
        object_name,
        landed_count,
        id_checksum,
        count(*) over (partition by batch_id, source_file) as object_count

    from stg_audit__landed_objects

),

all_files as (

    -- What a file of one object held and the loader rejected counts for that object.
    select
        stg_audit__files.batch_id,
        stg_audit__files.source_system,
        coalesce(
            landed.object_name,
            case stg_audit__files.source_system when 'segment' then 'messages' end,
            stg_audit__files.object_name,
            'unknown'
        ) as object_name,
        stg_audit__files.read_count,
        stg_audit__files.rejected_count,
        coalesce(landed.landed_count, 0) as landed_count,
        coalesce(landed.id_checksum, 0) as id_checksum

    from stg_audit__files
    left join landed
        on
            stg_audit__files.batch_id = landed.batch_id
            and stg_audit__files.source_file = landed.source_file
    where
        stg_audit__files.read_count > 0
        and coalesce(landed.object_count, 1) = 1

    union all

    -- What landed from a file of several objects.
    select
        batch_id,
        source_system,
        object_name,
        landed_count as read_count,
        0 as rejected_count,
        landed_count,
        id_checksum

    from landed
    where object_count > 1

    union all

    -- What did not land from a file of several objects.
    select
        stg_audit__files.batch_id,
        stg_audit__files.source_system,
        'unknown' as object_name,
        stg_audit__files.read_count - sum(landed.landed_count) as read_count,
        stg_audit__files.rejected_count,
        0 as landed_count,
        0 as id_checksum

    from stg_audit__files
    inner join landed
        on
            stg_audit__files.batch_id = landed.batch_id
            and stg_audit__files.source_file = landed.source_file
    where landed.object_count > 1
    group by
        stg_audit__files.batch_id,
        stg_audit__files.source_file,
        stg_audit__files.source_system,
        stg_audit__files.read_count,
        stg_audit__files.rejected_count

),

final as (

    select
        batch_id,
        source_system,
        object_name,
        cast(sum(read_count) as bigint) as read_count,
        cast(sum(rejected_count) as bigint) as rejected_count,
        cast(sum(landed_count) as bigint) as landed_count,
        cast(sum(id_checksum) as decimal(38, 0)) as id_checksum

    from all_files
    group by all
    having sum(read_count) != 0 or sum(rejected_count) != 0

)

select * from final
