with

dim_users as (

    select * from {{ ref('dim_users') }}

),

fct_events as (

    select * from {{ ref('fct_events') }}

),

fct_user_activity_daily as (

    select * from {{ ref('fct_user_activity_daily') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

-- Users with any counted message, calls at sign-up included. Only bots that signed in are left
-- out.
counted_users as (

    select distinct user_id
    from fct_user_activity_daily
    where counted_event_count > 0

),

sign_ups as (

    select
        dim_users.user_id,
        dim_users.account_id,
        dim_users.signed_up_at,
        {{ dbt.dateadd('day', 14, 'dim_users.signed_up_at') }} as window_end_at

    from dim_users
    inner join counted_users
        on dim_users.user_id = counted_users.user_id
    where dim_users.signed_up_at is not null and not (dim_users.is_internal or dim_users.is_test)

),

steps as (

    select
        user_id,
        event_name,
        occurred_at

    from fct_events
    where
        event_name in ('Document Uploaded', 'Document Processed', 'Document Downloaded')
        and user_id is not null
        and is_counted

),

firsts as (

    select
        sign_ups.user_id,
        min(steps.occurred_at) filter (
            where steps.event_name = 'Document Uploaded'
        ) as uploaded_at,
        min(steps.occurred_at) filter (
            where steps.event_name = 'Document Processed'
        ) as processed_at,
        min(steps.occurred_at) filter (
            where steps.event_name = 'Document Downloaded'
        ) as downloaded_at

    from steps
    inner join sign_ups
        on steps.user_id = sign_ups.user_id
    where steps.occurred_at between sign_ups.signed_up_at and sign_ups.window_end_at
    group by sign_ups.user_id

),

-- Null unless all steps were done: greatest() alone would ignore a missing step.
timed as (

    select
        sign_ups.user_id,
        sign_ups.account_id,
        sign_ups.signed_up_at,
        sign_ups.window_end_at,
        firsts.uploaded_at,
        firsts.processed_at,
        firsts.downloaded_at,
        case
            when firsts.uploaded_at is not null
                and firsts.processed_at is not null
                and firsts.downloaded_at is not null
                then greatest(firsts.uploaded_at, firsts.processed_at, firsts.downloaded_at)
        end as activated_at

    from sign_ups
    left join firsts
        on sign_ups.user_id = firsts.user_id

),

final as (

    select
        timed.user_id,
        timed.account_id,
        {{ month_start('timed.signed_up_at') }} as signed_up_month,
        timed.signed_up_at,
        timed.uploaded_at,
        timed.processed_at,
        timed.downloaded_at,
        timed.activated_at,
        timed.activated_at is not null as is_activated,
        coalesce(timed.window_end_at <= int_as_of.as_of_at, false) as is_window_closed,
        cast({{ dbt.datediff(
            'cast(timed.signed_up_at as date)', 'cast(timed.activated_at as date)', 'day'
        ) }} as integer) as days_to_activate

    from timed
    cross join int_as_of

)

select * from final
