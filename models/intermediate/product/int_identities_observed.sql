with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

final as (

    select
        {{ row_digest(['anonymous_id', 'user_id', 'workspace_id']) }} as identity_key,
        anonymous_id,
        user_id,
        workspace_id,
        min(least(occurred_at, received_at)) as first_seen_at,
        max(least(occurred_at, received_at)) as last_seen_at,
        min(cast(occurred_at as date)) as first_occurred_date,
        max(cast(occurred_at as date)) as last_occurred_date,
        count(*) as message_count

    from stg_segment__messages
    group by anonymous_id, user_id, workspace_id

)

select * from final
