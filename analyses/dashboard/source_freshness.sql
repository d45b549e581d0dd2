-- How old is the newest data of each source now, compared with what is promised? Extracts are
-- measured by the clock: a warehouse whose sources have all stopped has no later date of its own.
{%- set now = 'cast(' ~ dbt.current_timestamp() ~ ' as timestamp)' %}

with

dq_source_freshness as (

    select * from {{ ref('dq_source_freshness') }}

),

aged as (

    select
        source_system,
        freshness_status as status_as_of_batch,
        newest_batch_id,
        newest_record_date,
        {{ ratio(seconds_between('newest_extract_at', now), 86400) }} as extract_age_days,
        record_age_days,
        promised_days

    from dq_source_freshness

),

final as (

    select
        source_system,
        case
            when status_as_of_batch = 'fresh' and extract_age_days > promised_days then 'late'
            else status_as_of_batch
        end as freshness_status,
        newest_batch_id,
        newest_record_date,
        extract_age_days,
        record_age_days,
        promised_days,
        case
            when status_as_of_batch = 'late' or extract_age_days > promised_days then 1
            else 0
        end as late_count

    from aged

)

select * from final
order by source_system
