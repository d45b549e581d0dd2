with

fct_events as (

    select * from {{ ref('fct_events') }}

),

final as (

    select
        occurred_date as usage_date,
        cast(extract(hour from occurred_at) as integer) as hour_number,
        cast(count(*) as integer) as event_count,
        cast(count(distinct person_id) as integer) as active_user_count,
        cast(
            count(*) filter (where document_action = 'begin') as integer
        ) as upload_count,
        cast(
            count(*) filter (where document_action = 'process') as integer
        ) as processed_count

    from fct_events
    where event_type = 'track' and is_counted
    group by
        occurred_date,
        hour_number

)

select * from final
