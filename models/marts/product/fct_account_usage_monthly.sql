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

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

int_prices_described as (

    select * from {{ ref('int_prices_described') }}

),

plan_catalog as (

    select * from {{ ref('plan_catalog') }}

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
        dim_accounts.workspace_count + dim_accounts.user_count > 0 as has_users,
        greatest(min(beginnings.started_date), min(recording.first_date)) as started_date

    from beginnings
    inner join dim_accounts
        on beginnings.account_id = dim_accounts.account_id
    cross join recording
    where
        recording.first_date is not null
        and not (dim_accounts.is_internal or dim_accounts.is_test)
    group by all

),

account_months as (

    select
        started.account_id,
        started.has_workspace,
        started.has_users,
        started.started_date,
        {{ explode(date_series(
            month_start('started.started_date'), 'int_as_of.as_of_date', 'month'
        )) }} as usage_month

    from started
    cross join int_as_of

),

paid_seats as (

    select
        int_mrr_items_monthly.account_id,
        int_mrr_items_monthly.mrr_month,
        sum(int_mrr_items_monthly.quantity * plan_catalog.seats_per_unit) as paid_seat_count

    from int_mrr_items_monthly
    inner join int_prices_described
        on int_mrr_items_monthly.price_id = int_prices_described.price_id
    inner join plan_catalog
        on int_prices_described.product_name = plan_catalog.product_name
    where
        int_mrr_items_monthly.mrr_exclusion_reason is null
        and int_mrr_items_monthly.quantity > 0
        and plan_catalog.seats_per_unit > 0
    group by all

),

joined as (

    select
        account_months.account_id,
        account_months.usage_month,
        {{ is_month_closed('account_months.usage_month', 'int_as_of.as_of_date') }}
            as is_month_closed,
        account_months.has_workspace,
        account_months.has_users,
        {{ dbt.datediff(
            'greatest(account_months.started_date, account_months.usage_month)',
            'least(' ~ dbt.last_day('account_months.usage_month', 'month')
            ~ ', int_as_of.as_of_date)',
            'day'
        ) }} + 1 as day_count,
        least({{ dbt.last_day('account_months.usage_month', 'month') }}, int_as_of.as_of_date)
            as last_date,
        coalesce(activity.event_count, 0) as event_count,
        coalesce(activity.key_action_count, 0) as key_action_count,
        coalesce(activity.active_user_count, 0) as active_user_count,
        coalesce(activity.active_day_count, 0) as active_day_count,
        coalesce(activity.feature_count, 0) as feature_count,
        paid_seats.paid_seat_count,
        max(activity.last_active_date) over (
            partition by account_months.account_id
            order by account_months.usage_month
            rows between unbounded preceding and current row
        ) as last_active_date

    from account_months
    cross join int_as_of
    left join activity
        on
            account_months.account_id = activity.account_id
            and account_months.usage_month = activity.usage_month
    left join paid_seats
        on
            account_months.account_id = paid_seats.account_id
            and account_months.usage_month = paid_seats.mrr_month

),

final as (

    select
        account_id,
        usage_month,
        is_month_closed,
        has_workspace,
        has_users,
        cast(day_count as integer) as day_count,
        cast(event_count as integer) as event_count,
        cast(key_action_count as integer) as key_action_count,
        cast(active_user_count as integer) as active_user_count,
        cast(active_day_count as integer) as active_day_count,
        cast(feature_count as integer) as feature_count,
        cast(paid_seat_count as integer) as paid_seat_count,
        {{ ratio('event_count', 'day_count') }} as events_per_day,
        {{ ratio('active_user_count', 'paid_seat_count') }} as seat_use_rate,
        last_active_date,
        cast({{ dbt.datediff(
            'last_active_date', 'last_date', 'day'
        ) }} as integer) as days_since_active

    from joined

)

select * from final
