with

int_file_records_counted as (

    select * from {{ ref('int_file_records_counted') }}

),

int_raw_records_counted as (

    select * from {{ ref('int_raw_records_counted') }}

),

int_staged_records_counted as (

    select * from {{ ref('int_staged_records_counted') }}

),

stg_audit__erased_records as (

    select * from {{ ref('stg_audit__erased_records') }}

),

{% set outcomes = ['staged', 'duplicate', 'superseded', 'deleted', 'test_mode', 'elsewhere'] -%}

raw_totals as (

    select
        batch_id,
        source_system,
        object_name,
        sum(row_count) as row_count,
        sum(exported_checksum) as exported_checksum,
        sum(record_checksum) as record_checksum,
        sum(control_amount) as control_amount,
        {%- for outcome in outcomes %}
        coalesce(sum(row_count) filter (where row_outcome = '{{ outcome }}'), 0)
            as {{ outcome }}_count,
        {%- endfor %}
        coalesce(sum(record_checksum) filter (where row_outcome = 'staged'), 0) as staged_checksum,
        coalesce(sum(control_amount) filter (where row_outcome = 'staged'), 0) as staged_amount

    from int_raw_records_counted
    group by
        batch_id,
        source_system,
        object_name

),

grains as (

    select
        batch_id,
        source_system,
        object_name
    from int_file_records_counted
    union distinct
    select
        batch_id,
        source_system,
        object_name
    from raw_totals
    union distinct
    select
        batch_id,
        source_system,
        object_name
    from int_staged_records_counted

),

compared as (

    select
        grains.batch_id,
        grains.source_system,
        grains.object_name,
        coalesce(files.read_count, 0) as file_count,
        coalesce(files.rejected_count, 0) as rejected_count,
        coalesce(erased.erased_count, 0) as erased_count,
        -- Erased records were in the files and are no longer in raw.
        coalesce(files.id_checksum, 0) - coalesce(erased.id_checksum, 0) as file_checksum,
        coalesce(raw_totals.row_count, 0) as raw_count,
        coalesce(raw_totals.exported_checksum, 0) as raw_checksum,
        coalesce(raw_totals.control_amount, 0) as raw_amount,
        {%- for outcome in outcomes[1:] %}
        coalesce(raw_totals.{{ outcome }}_count, 0) as {{ outcome }}_count,
        {%- endfor %}
        coalesce(raw_totals.staged_checksum, 0) as expected_checksum,
        coalesce(raw_totals.staged_amount, 0) as expected_amount,
        coalesce(staging.row_count, 0) as staging_count,
        coalesce(staging.record_checksum, 0) as staging_checksum,
        coalesce(staging.control_amount, 0) as staging_amount

    from grains
    left join int_file_records_counted as files
        on
            grains.batch_id = files.batch_id
            and grains.source_system = files.source_system
            and grains.object_name = files.object_name
    left join stg_audit__erased_records as erased
        on
            grains.batch_id = erased.batch_id
            and grains.source_system = erased.source_system
            and grains.object_name = erased.object_name
    left join raw_totals
        on
            grains.batch_id = raw_totals.batch_id
            and grains.source_system = raw_totals.source_system
            and grains.object_name = raw_totals.object_name
    left join int_staged_records_counted as staging
        on
            grains.batch_id = staging.batch_id
            and grains.source_system = staging.source_system
            and grains.object_name = staging.object_name

),

explained as (

    select
        batch_id,
        source_system,
        object_name,
        file_count,
        rejected_count,
        erased_count,
        raw_count,
        {%- for outcome in outcomes[1:] %}
        {{ outcome }}_count,
        {%- endfor %}
        staging_count,
        file_checksum,
        raw_checksum,
        expected_checksum,
        staging_checksum,
        raw_amount,
        expected_amount,
        staging_amount,
        file_count - rejected_count - erased_count - raw_count as unexplained_load_count,
        raw_count
        {%- for outcome in outcomes[1:] %}
        - {{ outcome }}_count
        {%- endfor %}
        - staging_count as unexplained_staging_count,
        expected_amount - staging_amount as unexplained_amount

    from compared

),

final as (

    select
        batch_id,
        source_system,
        object_name,
        {%- for count in ['file_count', 'rejected_count', 'erased_count', 'raw_count'] %}
        cast({{ count }} as bigint) as {{ count }},
        {%- endfor %}
        {%- for outcome in outcomes[1:] %}
        cast({{ outcome }}_count as bigint) as {{ outcome }}_count,
        {%- endfor %}
        cast(staging_count as bigint) as staging_count,
        cast(unexplained_load_count as bigint) as unexplained_load_count,
        cast(unexplained_staging_count as bigint) as unexplained_staging_count,
        {%- for checksum in ['file', 'raw', 'expected', 'staging'] %}
        cast({{ checksum }}_checksum as decimal(38, 0)) as {{ checksum }}_checksum,
        {%- endfor %}
        {%- for amount in ['raw', 'expected', 'staging', 'unexplained'] %}
        cast({{ amount }}_amount as decimal(38, 9)) as {{ amount }}_amount,
        {%- endfor %}
        unexplained_load_count = 0 and file_checksum = raw_checksum as is_loaded_whole,
        unexplained_staging_count = 0
        and expected_checksum = staging_checksum
        and unexplained_amount = 0 as is_staged_whole

    from explained

)

select * from final
