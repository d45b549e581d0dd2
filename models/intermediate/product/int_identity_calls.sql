with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

-- Browsers say the same at every visit; what counts is when it was said last.
distinct_calls as (

    select
        message_type,
        user_id,
        previous_id,
        workspace_id,
        traits,
        max(least(occurred_at, received_at)) as last_seen_at,
        min(message_id) as message_id

    from stg_segment__messages
    where message_type in ('identify', 'group', 'alias')
    group by message_type, user_id, previous_id, workspace_id, traits

),

final as (

    select
        *,
        row_number() over (order by last_seen_at, message_id) as call_number

    from distinct_calls

)

select * from final
