with

fct_user_activity_daily as (

    select * from {{ ref('fct_user_activity_daily') }}

),

final as (

    select
        account_id,
        activity_date,

        count(*) filter (where is_active) as active_user_count,
        count(*) as user_count,
        cast(sum(counted_event_count) as bigint) as event_count,
        cast(sum(track_event_count) as bigint) as track_event_count,
        cast(sum(key_action_count) as bigint) as key_action_count,
        cast(sum(session_count) as bigint) as session_count

    from fct_user_activity_daily
    where
        account_id is not null
        and counted_event_count > 0
    group by account_id, activity_date

)

select * from final
