with

dim_users as (

    select * from {{ ref('dim_users') }}

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

members as (

    select
        dim_users.user_id,
        cast(date_trunc('week', dim_users.signed_up_at) as date) as cohort_week,
        {{ month_start('dim_users.signed_up_at') }} as cohort_month

    from dim_users
    inner join counted_users
        on dim_users.user_id = counted_users.user_id
    inner join int_as_of
        on dim_users.signed_up_at <= int_as_of.as_of_at
    where not (dim_users.is_internal or dim_users.is_test)

),

-- Sign-ups are counted before the join with activity, which would drop users who never came back.
cohorts as (

    select
        'week' as period_type,
        cohort_week as cohort_start_date,
        count(*) as cohort_user_count

    from members
    group by cohort_week

    union all

    select
        'month' as period_type,
        cohort_month as cohort_start_date,
        count(*) as cohort_user_count

    from members
    group by cohort_month

),

-- Every period that has begun, also those without any activity.
periods as (

    select
        cohorts.period_type,
        cohorts.cohort_start_date,
        cohorts.cohort_user_count,
        {{ explode(date_series('cohorts.cohort_start_date', 'int_as_of.as_of_date', 'week')) }}
            as period_start_date

    from cohorts
    cross join int_as_of
    where cohorts.period_type = 'week'

    union all

    select
        cohorts.period_type,
        cohorts.cohort_start_date,
        cohorts.cohort_user_count,
        {{ explode(date_series('cohorts.cohort_start_date', 'int_as_of.as_of_date', 'month')) }}
            as period_start_date

    from cohorts
    cross join int_as_of
    where cohorts.period_type = 'month'

),

numbered as (

    select
        period_type,
        cohort_start_date,
        cohort_user_count,
        period_start_date,
        case period_type
            when 'week' then {{ dbt.datediff('cohort_start_date', 'period_start_date', 'week') }}
            else {{ dbt.datediff('cohort_start_date', 'period_start_date', 'month') }}
        end as period_number

    from periods

),

active_days as (

    select
        fct_user_activity_daily.user_id,
        fct_user_activity_daily.activity_date

    from fct_user_activity_daily
    inner join int_as_of
        on fct_user_activity_daily.activity_date <= int_as_of.as_of_date
    where fct_user_activity_daily.is_active

),

-- One row per member and period with activity, so that the join does not fan out.
active_members as (

    select distinct
        'week' as period_type,
        members.user_id,
        members.cohort_week as cohort_start_date,
        cast(date_trunc('week', active_days.activity_date) as date) as period_start_date

    from members
    inner join active_days
        on members.user_id = active_days.user_id

    union all

    select distinct
        'month' as period_type,
        members.user_id,
        members.cohort_month as cohort_start_date,
        {{ month_start('active_days.activity_date') }} as period_start_date

    from members
    inner join active_days
        on members.user_id = active_days.user_id

),

retained as (

    select
        period_type,
        cohort_start_date,
        period_start_date,
        count(*) as active_user_count

    from active_members
    group by
        period_type,
        cohort_start_date,
        period_start_date

),

final as (

    select
        numbered.period_type,
        numbered.cohort_start_date,
        cast(numbered.period_number as integer) as period_number,
        numbered.period_start_date,
        cast(numbered.cohort_user_count as integer) as cohort_user_count,
        cast(coalesce(retained.active_user_count, 0) as integer) as active_user_count,
        {{ ratio('coalesce(retained.active_user_count, 0)', 'numbered.cohort_user_count') }}
            as retention_rate,
        case numbered.period_type
            when 'week' then {{ dbt.dateadd('day', 7, 'numbered.period_start_date') }}
            else {{ dbt.dateadd('month', 1, 'numbered.period_start_date') }}
        end <= {{ dbt.dateadd('day', 1, 'int_as_of.as_of_date') }} as is_complete

    from numbered
    cross join int_as_of
    left join retained
        on
            numbered.period_type = retained.period_type
            and numbered.cohort_start_date = retained.cohort_start_date
            and numbered.period_start_date = retained.period_start_date

)

select * from final
