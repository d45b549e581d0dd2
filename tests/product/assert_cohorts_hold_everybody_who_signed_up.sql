-- Proves that a cohort is everyone who signed up, the same in each of its periods, and that every
-- period up to the as-of date has a row. Counted after the join with activity, a cohort would
-- hold only users who came back, and retention would be 100 %; without its empty periods a curve
-- would look better than it is.
with

counted_users as (

    select distinct user_id
    from {{ ref('fct_events') }}
    where is_counted

),

sign_ups as (

    select
        cast(date_trunc('week', dim_users.signed_up_at) as date) as cohort_week,
        {{ month_start('dim_users.signed_up_at') }} as cohort_month

    from {{ ref('dim_users') }} as dim_users
    inner join counted_users
        on dim_users.user_id = counted_users.user_id
    cross join {{ ref('int_as_of') }} as int_as_of
    where
        not (dim_users.is_internal or dim_users.is_test)
        and cast(dim_users.signed_up_at as date) <= int_as_of.as_of_date

),

expected as (

    select
        'week' as period_type,
        cohort_week as cohort_start_date,
        count(*) as user_count
    from sign_ups
    group by cohort_week

    union all

    select
        'month' as period_type,
        cohort_month as cohort_start_date,
        count(*) as user_count
    from sign_ups
    group by cohort_month

),

found as (

    select
        period_type,
        cohort_start_date,
        min(cohort_user_count) as smallest_count,
        max(cohort_user_count) as largest_count,
        count(*) as period_count,
        max(period_number) as last_number,
        max(period_start_date) as last_start_date

    from {{ ref('fct_user_retention_cohorts') }}
    group by
        period_type,
        cohort_start_date

)

select
    expected.period_type,
    expected.cohort_start_date,
    expected.user_count,
    found.smallest_count,
    found.largest_count,
    found.period_count

from expected
cross join {{ ref('int_as_of') }} as int_as_of
left join found
    on
        expected.period_type = found.period_type
        and expected.cohort_start_date = found.cohort_start_date
where not coalesce(
        expected.user_count = found.smallest_count
        and expected.user_count = found.largest_count
        and found.period_count = found.last_number + 1
        and found.last_start_date = case expected.period_type
            when 'week' then cast(date_trunc('week', int_as_of.as_of_date) as date)
            else {{ month_start('int_as_of.as_of_date') }}
        end,
        false
    )
