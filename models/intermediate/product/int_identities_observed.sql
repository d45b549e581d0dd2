with

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

final as (

    select
        {{ row_digest(['anonymous_id', 'user_id', 'workspace_id']) }} as identity_key,
        anonymous_id,
        user_id,
        workspace_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(first_occurred_date) as first_occurred_date,
        max(last_occurred_date) as last_occurred_date,
        cast(sum(message_count) as bigint) as message_count

    from int_identity_signals
    group by anonymous_id, user_id, workspace_id

)

select * from final
