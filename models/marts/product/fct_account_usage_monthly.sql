with

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

fct_events as (

    select * from {{ ref('fct_events') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_seats_paid_monthly as (

    select * from {{ ref('int_seats_paid_monthly') }}

),

activity as (

    select
        fct_events.account_id,
        {{ month_start('fct_events.occurred_date') }} as usage_month,
        count(*) as event_count,
        count(*) filter (where fct_events.is_key_action) as key_action_count,
        count(distinct fct_events.user_id) as active_user_count,
        count(distinct fct_events.occurred_date) as active_day_count,
        count(distinct fct_events.feature_key) as feature_count,
        min(fct_events.occurred_date) as first_active_date,
        max(fct_events.occurred_date) as last_active_date

    from fct_events
    inner join int_as_of
        on fct_events.occurred_date <= int_as_of.as_of_date
    where
        fct_events.event_type = 'track'
        and fct_events.account_id is not null
        and fct_events.is_counted
    group by
        fct_events.account_id,
        usage_month

),

beginnings as (

    select
        account_id,
        min(first_active_date) as started_date
    from activity
    group by account_id

    union all

    select
        account_id,
        min(mrr_month) as started_date
    from fct_mrr_monthly
    group by account_id

),

-- Before the first event of all nothing was recorded, which is not the same as no use.
recording as (

    select min(first_active_date) as first_date
    from activity

),

started as (

    select
        beginnings.account_id,
        dim_accounts.workspace_count > 0 as has_workspace,
        greatest(min(beginnings.started_date), recording.first_date) as started_date

    from beginnings
    inner join dim_accounts
        on beginnings.account_id = dim_accounts.account_id
    cross join recording
    where
        recording.first_date is not null
        and not (dim_accounts.is_internal or dim_accounts.is_test)
    group by
        beginnings.account_id,
        dim_accounts.workspace_count,
        recording.first_date

),

account_months as (

    select
        started.account_id,
        started.has_workspace,
        started.started_date,
        {{ explode(date_series(
            month_start('started.started_date'),
            'int_as_of.as_of_date',
            'month'
        )) }}
            as usage_month

    from started
    cross join int_as_of

),

measured as (

    select
        account_months.account_id,
        account_months.usage_month,
        account_months.has_workspace,
        greatest(account_months.started_date, account_months.usage_month) as first_date,
        least(
            {{ dbt.dateadd(
                'day',
                -1,
                'cast(' ~ dbt.dateadd('month', 1, 'account_months.usage_month') ~ ' as date)'
            ) }},
            int_as_of.as_of_date
        ) as last_date,
        {{ dbt.dateadd('month', 1, 'account_months.usage_month') }}
        <= {{ dbt.dateadd('day', 1, 'int_as_of.as_of_date') }} as is_month_closed

    from account_months
    cross join int_as_of

),

joined as (

    select
        measured.account_id,
        measured.usage_month,
        measured.is_month_closed,
        measured.has_workspace,
        measured.last_date,
        cast({{ dbt.datediff(
            'measured.first_date', 'measured.last_date', 'day'
        ) }} as integer) + 1 as day_count,
        cast(coalesce(activity.event_count, 0) as integer) as event_count,
        cast(coalesce(activity.key_action_count, 0) as integer) as key_action_count,
        cast(coalesce(activity.active_user_count, 0) as integer) as active_user_count,
        cast(coalesce(activity.active_day_count, 0) as integer) as active_day_count,
        cast(coalesce(activity.feature_count, 0) as integer) as feature_count,
        int_seats_paid_monthly.paid_seat_count,
        max(activity.last_active_date) over (
            partition by measured.account_id
            order by measured.usage_month
            rows between unbounded preceding and current row
        ) as last_active_date

    from measured
    left join activity
        on
            measured.account_id = activity.account_id
            and measured.usage_month = activity.usage_month
    left join int_seats_paid_monthly
        on
            measured.account_id = int_seats_paid_monthly.account_id
            and measured.usage_month = int_seats_paid_monthly.mrr_month

),

final as (

    select
        account_id,
        usage_month,
        is_month_closed,
        has_workspace,
        day_count,
        event_count,
        key_action_count,
        active_user_count,
        active_day_count,
        feature_count,
        paid_seat_count,
        {{ ratio('event_count', 'day_count') }} as events_per_day,
        {{ ratio('active_user_count', 'paid_seat_count') }} as seat_use_rate,
        last_active_date,
        cast({{ dbt.datediff(
            'last_active_date', 'last_date', 'day'
        ) }} as integer) as days_since_active

    from joined

)

select * from final
