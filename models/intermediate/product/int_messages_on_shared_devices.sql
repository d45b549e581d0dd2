with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

int_devices_claimed as (

    select * from {{ ref('int_devices_claimed') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

messages as (

    select
        stg_segment__messages.message_id,
        stg_segment__messages.anonymous_id,
        stg_segment__messages.occurred_at,
        stg_segment__messages.user_id as sent_user_id,
        int_users_aliased.user_id

    from stg_segment__messages
    inner join int_devices_claimed
        on
            stg_segment__messages.anonymous_id = int_devices_claimed.anonymous_id
            and int_devices_claimed.is_shared
    left join int_users_aliased
        on stg_segment__messages.user_id = int_users_aliased.sent_user_id

),

neighbours as (

    select
        message_id,
        anonymous_id,
        sent_user_id,
        first_value(user_id ignore nulls) over (
            partition by anonymous_id
            order by occurred_at, message_id
            rows between current row and unbounded following
        ) as next_user_id,
        last_value(user_id ignore nulls) over (
            partition by anonymous_id
            order by occurred_at, message_id
            rows between unbounded preceding and current row
        ) as previous_user_id

    from messages

),

final as (

    select
        message_id,
        anonymous_id,
        coalesce(next_user_id, previous_user_id) as user_id

    from neighbours
    where sent_user_id is null

)

select * from final
