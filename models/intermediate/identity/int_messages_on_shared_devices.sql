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

begun as (

    select
        *,
        coalesce(
            occurred_at - lag(occurred_at) over (
                partition by anonymous_id order by occurred_at, message_id
            ) >= interval {{ var('session_idle_minutes') }} minute,
            true
        ) as is_first

    from messages

),

-- The device's own sessions, as fct_sessions ends those of people.
visits as (

    select
        *,
        count(*) filter (where is_first) over (
            partition by anonymous_id
            order by occurred_at, message_id
            rows between unbounded preceding and current row
        ) as visit_number

    from begun

),

-- The users known nearest before and after, and in which visits.
neighbours as (

    select
        message_id,
        anonymous_id,
        sent_user_id,
        visit_number,
        first_value(user_id ignore nulls) over after_on_device as next_user_id,
        last_value(user_id ignore nulls) over before_on_device as previous_user_id,
        first_value(
            case when user_id is not null then visit_number end ignore nulls
        ) over after_on_device as next_visit_number,
        last_value(
            case when user_id is not null then visit_number end ignore nulls
        ) over before_on_device as previous_visit_number

    from visits
    window
        after_on_device as (
            partition by anonymous_id
            order by occurred_at, message_id
            rows between current row and unbounded following
        ),
        before_on_device as (
            partition by anonymous_id
            order by occurred_at, message_id
            rows between unbounded preceding and current row
        )

),

final as (

    select
        message_id,
        anonymous_id,
        case
            when next_visit_number = visit_number then next_user_id
            when previous_visit_number = visit_number then previous_user_id
            else coalesce(next_user_id, previous_user_id)
        end as user_id

    from neighbours
    where sent_user_id is null

)

select * from final
