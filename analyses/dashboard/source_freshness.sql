-- How old is the newest data of each source, compared with what is promised?
with

dq_source_freshness as (

    select * from {{ ref('dq_source_freshness') }}

),

final as (

    select
        source_system,
        freshness_status,
        newest_batch_id,
        newest_record_date,
        extract_age_days,
        record_age_days,
        promised_days,
        case when freshness_status = 'late' then 1 else 0 end as late_count

    from dq_source_freshness

)

select * from final
order by source_system
