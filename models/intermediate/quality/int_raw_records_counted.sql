with

int_raw_event_copies as (

    select * from {{ ref('int_raw_event_copies') }}

),

int_raw_record_versions as (

    select * from {{ ref('int_raw_record_versions') }}

),

versions_counted as (

    select
        _batch_id as batch_id,
        source_system,
        object_name,
        fate,
        count(*) as row_count,
        sum(sent_checksum) as sent_checksum,
        sum(record_checksum) as record_checksum,
        sum(control_amount) as control_amount

    from int_raw_record_versions
    group by all

),

deliveries_counted as (

    select
        _batch_id as batch_id,
        source_system,
        object_name,
        fate,
        count(*) as row_count,
        sum(sent_checksum) as sent_checksum,
        sum(record_checksum) as record_checksum,
        0 as control_amount

    from int_raw_event_copies
    group by all

),

all_rows as (

    select * from versions_counted
    union all
    select * from deliveries_counted

),

final as (

    select
        batch_id,
        source_system,
        object_name,
        fate,
        row_count,
        cast(coalesce(sent_checksum, 0) as decimal(38, 0)) as sent_checksum,
        cast(coalesce(record_checksum, 0) as decimal(38, 0)) as record_checksum,
        cast(coalesce(control_amount, 0) as decimal(38, 9)) as control_amount

    from all_rows

)

select * from final
