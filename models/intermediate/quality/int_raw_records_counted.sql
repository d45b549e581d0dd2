with

int_raw_event_copies as (

    select * from {{ ref('int_raw_event_copies') }}

),

int_raw_record_versions as (

    select * from {{ ref('int_raw_record_versions') }}

),

record_versions_counted as (

    select
        _batch_id as batch_id,
        source_system,
        object_name,
        row_outcome,
        count(*) as row_count,
        sum(exported_checksum) as exported_checksum,
        sum(record_checksum) as record_checksum,
        sum(control_amount) as control_amount

    from int_raw_record_versions
    group by all

),

event_copies_counted as (

    select
        _batch_id as batch_id,
        source_system,
        object_name,
        row_outcome,
        count(*) as row_count,
        sum(exported_checksum) as exported_checksum,
        sum(record_checksum) as record_checksum

    from int_raw_event_copies
    group by all

),

final as (

    select
        batch_id,
        source_system,
        object_name,
        row_outcome,
        row_count,
        cast(coalesce(exported_checksum, 0) as decimal(38, 0)) as exported_checksum,
        cast(coalesce(record_checksum, 0) as decimal(38, 0)) as record_checksum,
        cast(coalesce(control_amount, 0) as decimal(38, 9)) as control_amount

    from record_versions_counted

    union all

    select
        batch_id,
        source_system,
        object_name,
        row_outcome,
        row_count,
        cast(coalesce(exported_checksum, 0) as decimal(38, 0)) as exported_checksum,
        cast(coalesce(record_checksum, 0) as decimal(38, 0)) as record_checksum,
        cast(0 as decimal(38, 9)) as control_amount

    from event_copies_counted

)

select * from final
