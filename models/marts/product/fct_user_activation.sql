with

activation_rules as (

    select * from {{ ref('activation_rules') }}

),

dim_event_types as (

    select * from {{ ref('dim_event_types') }}

),

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
        dim_users.signed_up_at

    from dim_users
    inner join counted_users
        on dim_users.user_id = counted_users.user_id
    where dim_users.signed_up_at is not null and not (dim_users.is_internal or dim_users.is_test)

),

-- The rules under the names that events have.
rules as (

    select
        activation_rules.action_name,
        activation_rules.least_count,
        activation_rules.window_days,
        dim_event_types.event_name

    from activation_rules
    inner join dim_event_types
        on
            replace({{ normalised_name('activation_rules.event_name') }}, ' ', '')
            = replace({{ normalised_name('dim_event_types.event_name') }}, ' ', '')

),

required as (

    select
        count(distinct action_name) as required_action_count,
        max(window_days) as window_days
    from activation_rules

),

-- Each action is done when it has happened as often as the rule asks.
actions as (

    select
        sign_ups.user_id,
        rules.action_name,
        fct_events.occurred_at as done_at

    from fct_events
    inner join rules
        on fct_events.event_name = rules.event_name
    inner join sign_ups
        on
            fct_events.user_id = sign_ups.user_id
            and fct_events.occurred_at between sign_ups.signed_up_at
            and {{ dbt.dateadd('day', 'rules.window_days', 'sign_ups.signed_up_at') }}
    where fct_events.event_type = 'track' and fct_events.is_counted
    qualify
        row_number() over (
            partition by sign_ups.user_id, rules.action_name
            order by fct_events.occurred_at, fct_events.event_id
        ) = rules.least_count

),

done as (

    select
        user_id,
        count(*) as done_action_count,
        max(done_at) as last_done_at

    from actions
    group by user_id

),

timed as (

    select
        sign_ups.user_id,
        sign_ups.account_id,
        sign_ups.signed_up_at,
        {{ dbt.dateadd('day', 'required.window_days', 'sign_ups.signed_up_at') }} as window_end_at,
        required.required_action_count,
        coalesce(done.done_action_count, 0) as done_action_count,
        case
            when done.done_action_count = required.required_action_count then done.last_done_at
        end as activated_at

    from sign_ups
    cross join required
    left join done
        on sign_ups.user_id = done.user_id

),

final as (

    select
        timed.user_id,
        timed.account_id,
        {{ month_start('timed.signed_up_at') }} as signed_up_month,
        timed.signed_up_at,
        cast(timed.done_action_count as integer) as done_action_count,
        cast(timed.required_action_count as integer) as required_action_count,
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
