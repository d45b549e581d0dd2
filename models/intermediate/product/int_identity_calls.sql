with

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

-- Browsers say the same at every visit; what counts is when it was said last.
distinct_calls as (

    select
        call_type as message_type,
        user_id,
        previous_id,
        workspace_id,
        traits,
        max(last_seen_at) as last_seen_at,
        min(call_message_id) as message_id

    from int_identity_signals
    where call_type is not null
    group by call_type, user_id, previous_id, workspace_id, traits

),

final as (

    select
        *,
        row_number() over (order by last_seen_at, message_id) as call_number

    from distinct_calls

)

select * from final
