{%- set promises = var('freshness_promise_days') -%}

with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_file_records_counted as (

    select * from {{ ref('int_file_records_counted') }}

),

int_records_dated as (

    select * from {{ ref('int_records_dated') }}

),

stg_audit__batches as (

    select * from {{ ref('stg_audit__batches') }}

),

promises as (

    {% for source_name, days in promises.items() -%}
    select
        '{{ source_name }}' as source_system,
        {{ days }} as promised_days
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}

),

newest_batches as (

    select
        int_file_records_counted.source_system,
        max(stg_audit__batches.batch_id) as newest_batch_id,
        max(stg_audit__batches.extracted_at) as newest_extract_at

    from int_file_records_counted
    inner join stg_audit__batches
        on int_file_records_counted.batch_id = stg_audit__batches.batch_id
    where int_file_records_counted.landed_count > 0
    group by int_file_records_counted.source_system

),

newest_records as (

    select
        int_records_dated.source_system,
        max(int_records_dated.created_date) as newest_record_date
    from int_records_dated
    cross join int_as_of
    where int_records_dated.created_date <= int_as_of.as_of_date
    group by int_records_dated.source_system

),

aged as (

    select
        promises.source_system,
        newest_batches.newest_batch_id,
        newest_batches.newest_extract_at,
        newest_records.newest_record_date,
        int_as_of.as_of_at,
        cast(promises.promised_days as double) as promised_days,
        {{ seconds_between('newest_batches.newest_extract_at', 'int_as_of.as_of_at') }}
            as extract_age_seconds,
        {{ dbt.datediff(
            'newest_record_date', 'as_of_date', 'day'
        ) }} as record_age_days

    from promises
    cross join int_as_of
    left join newest_batches on promises.source_system = newest_batches.source_system
    left join newest_records on promises.source_system = newest_records.source_system

),

final as (

    select
        source_system,
        newest_batch_id,
        newest_extract_at,
        newest_record_date,
        as_of_at,
        promised_days,
        {{ ratio('extract_age_seconds', 86400) }} as extract_age_days,
        cast(record_age_days as integer) as record_age_days,
        case
            when newest_extract_at is null then 'absent'
            when extract_age_seconds > promised_days * 86400 then 'late'
            when record_age_days > promised_days then 'late'
            else 'fresh'
        end as freshness_status

    from aged

)

select * from final
