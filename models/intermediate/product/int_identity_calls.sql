with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

final as (

    select
        message_id,
        message_type,
        user_id,
        anonymous_id,
        previous_id,
        workspace_id,
        traits,
        least(occurred_at, received_at) as seen_at

    from stg_segment__messages
    where message_type in ('identify', 'group', 'alias')

)

select * from final
