{%- set after_on_device = '(partition by anonymous_id order by occurred_at, message_id'
    ~ ' rows between current row and unbounded following)' -%}
{%- set before_on_device = '(partition by anonymous_id order by occurred_at, message_id'
    ~ ' rows between unbounded preceding and current row)' -%}

with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

int_devices_identified as (

    select * from {{ ref('int_devices_identified') }}

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
    inner join int_devices_identified
        on
            stg_segment__messages.anonymous_id = int_devices_identified.anonymous_id
            and int_devices_identified.is_shared
    left join int_users_aliased
        on stg_segment__messages.user_id = int_users_aliased.sent_user_id

),

with_session_starts as (

    select
        message_id,
        anonymous_id,
        occurred_at,
        sent_user_id,
        user_id,
        coalesce(
            occurred_at - lag(occurred_at) over (
                partition by anonymous_id order by occurred_at, message_id
            ) >= interval {{ var('session_idle_minutes') }} minute,
            true
        ) as is_session_start

    from messages

),

-- Sessions of the device, which end after the same idle time as those of people in fct_sessions.
sessions as (

    select
        message_id,
        anonymous_id,
        occurred_at,
        sent_user_id,
        user_id,
        count(*) filter (where is_session_start) over (
            partition by anonymous_id
            order by occurred_at, message_id
            rows between unbounded preceding and current row
        ) as session_number

    from with_session_starts

),

-- The nearest known users before and after each message, and the sessions they were seen in.
neighbours as (

    select
        message_id,
        anonymous_id,
        sent_user_id,
        session_number,
        {{ known_value('first', 'user_id') }} over {{ after_on_device }} as next_user_id,
        {{ known_value('last', 'user_id') }} over {{ before_on_device }} as previous_user_id,
        {{ known_value(
            'first', 'case when user_id is not null then session_number end'
        ) }} over {{ after_on_device }} as next_session_number,
        {{ known_value(
            'last', 'case when user_id is not null then session_number end'
        ) }} over {{ before_on_device }} as previous_session_number

    from sessions

),

final as (

    select
        message_id,
        anonymous_id,
        case
            when next_session_number = session_number then next_user_id
            when previous_session_number = session_number then previous_user_id
            else coalesce(next_user_id, previous_user_id)
        end as user_id

    from neighbours
    where sent_user_id is null

)

select * from final
