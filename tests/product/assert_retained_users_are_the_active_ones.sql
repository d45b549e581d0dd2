-- Proves that over all cohorts the users retained in a week or month are the users active in it,
-- each once. A join that fans out, by day or by account, would count some of them twice and could
-- still stay below the size of their cohort.
with

days as (

    select distinct
        fct_events.user_id,
        fct_events.occurred_date,
        cast(dim_users.signed_up_at as date) as signed_up_date

    from {{ ref('fct_events') }} as fct_events
    inner join {{ ref('dim_users') }} as dim_users
        on fct_events.user_id = dim_users.user_id
    cross join {{ ref('int_as_of') }} as int_as_of
    where
        fct_events.event_type = 'track'
        and fct_events.is_counted
        and not (dim_users.is_internal or dim_users.is_test)
        and dim_users.signed_up_at is not null
        and fct_events.occurred_date <= int_as_of.as_of_date

),

expected as (

    select
        'week' as period_type,
        cast(date_trunc('week', occurred_date) as date) as period_start_date,
        count(distinct user_id) as active_count

    from days
    where date_trunc('week', occurred_date) >= date_trunc('week', signed_up_date)
    group by period_start_date

    union all

    select
        'month' as period_type,
        {{ month_start('occurred_date') }} as period_start_date,
        count(distinct user_id) as active_count

    from days
    where date_trunc('month', occurred_date) >= date_trunc('month', signed_up_date)
    group by period_start_date

),

found as (

    select
        period_type,
        period_start_date,
        sum(active_user_count) as active_count

    from {{ ref('fct_user_retention_cohorts') }}
    group by
        period_type,
        period_start_date

)

select
    found.period_type,
    found.period_start_date,
    found.active_count,
    expected.active_count as expected_count

from found
left join expected
    on
        found.period_type = expected.period_type
        and found.period_start_date = expected.period_start_date
where found.active_count != coalesce(expected.active_count, 0)
