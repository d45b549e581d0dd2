with

int_file_records_counted as (

    select * from {{ ref('int_file_records_counted') }}

),

stg_audit__batches as (

    select * from {{ ref('stg_audit__batches') }}

),

stg_audit__files as (

    select * from {{ ref('stg_audit__files') }}

),

stg_audit__schema_changes as (

    select * from {{ ref('stg_audit__schema_changes') }}

),

sources_of_batches as (

    select
        batch_id,
        {%- for source_name in ['salesforce', 'stripe', 'segment'] %}
        coalesce(sum(landed_count) filter (where source_system = '{{ source_name }}'), 0)
            as {{ source_name }}_count,
        {%- endfor %}
        count(*) as object_count

    from int_file_records_counted
    group by batch_id

),

files_of_batches as (

    select
        batch_id,
        count(*) filter (where load_status = 'duplicate') as duplicate_file_count,
        count(*) filter (where load_status = 'ignored') as ignored_file_count,
        sum(byte_count) as byte_count

    from stg_audit__files
    group by batch_id

),

changes_of_batches as (

    select
        batch_id,
        count(*) as schema_change_count
    from stg_audit__schema_changes
    group by batch_id

),

final as (

    select
        stg_audit__batches.batch_id,
        stg_audit__batches.batch_date,
        stg_audit__batches.extracted_at,
        stg_audit__batches.loaded_at as _loaded_at,
        stg_audit__batches.file_count,
        coalesce(files_of_batches.duplicate_file_count, 0) as duplicate_file_count,
        coalesce(files_of_batches.ignored_file_count, 0) as ignored_file_count,
        cast(coalesce(files_of_batches.byte_count, 0) as bigint) as byte_count,
        stg_audit__batches.read_count,
        stg_audit__batches.landed_count,
        stg_audit__batches.rejected_count,
        {%- for source_name in ['salesforce', 'stripe', 'segment'] %}
        cast(coalesce(sources_of_batches.{{ source_name }}_count, 0) as bigint)
            as {{ source_name }}_count,
        {%- endfor %}
        coalesce(changes_of_batches.schema_change_count, 0) as schema_change_count

    from stg_audit__batches
    left join files_of_batches on stg_audit__batches.batch_id = files_of_batches.batch_id
    left join sources_of_batches on stg_audit__batches.batch_id = sources_of_batches.batch_id
    left join changes_of_batches on stg_audit__batches.batch_id = changes_of_batches.batch_id

)

select * from final
