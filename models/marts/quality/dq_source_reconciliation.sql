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

{% set fates = ['staged', 'duplicate', 'superseded', 'deleted', 'test_mode', 'elsewhere'] -%}

raw_totals as (

    select
        batch_id,
        source_system,
        object_name,
        sum(row_count) as row_count,
        sum(sent_checksum) as sent_checksum,
        sum(record_checksum) as record_checksum,
        sum(control_amount) as control_amount,
        {%- for fate in fates %}
        coalesce(sum(row_count) filter (where fate = '{{ fate }}'), 0) as {{ fate }}_count,
        {%- endfor %}
        coalesce(sum(record_checksum) filter (where fate = 'staged'), 0) as staged_checksum,
        coalesce(sum(control_amount) filter (where fate = 'staged'), 0) as staged_amount

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
    union
    select
        batch_id,
        source_system,
        object_name
    from raw_totals
    union
    select
        batch_id,
        source_system,
        object_name
    from int_staged_records_counted

),

compared as (

    select
        grains.*,
        coalesce(files.read_count, 0) as file_count,
        coalesce(files.rejected_count, 0) as rejected_count,
        coalesce(erased.erased_count, 0) as erased_count,
        -- What a person had erased is no longer in raw, and was in the files.
        coalesce(files.id_checksum, 0) - coalesce(erased.id_checksum, 0) as file_checksum,
        coalesce(raw_totals.row_count, 0) as raw_count,
        coalesce(raw_totals.sent_checksum, 0) as raw_checksum,
        coalesce(raw_totals.control_amount, 0) as raw_amount,
        {%- for fate in fates[1:] %}
        coalesce(raw_totals.{{ fate }}_count, 0) as {{ fate }}_count,
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
        *,
        file_count - rejected_count - erased_count - raw_count as unexplained_load_count,
        raw_count
        {%- for fate in fates[1:] %}
        - {{ fate }}_count
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
        {%- for fate in fates[1:] %}
        cast({{ fate }}_count as bigint) as {{ fate }}_count,
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
