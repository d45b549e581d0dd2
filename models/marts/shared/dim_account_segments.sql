{#- Days without use that make an account idle; days of use in 30 that are heavy. -#}
{%- set idle_days, heavy_use_days = 14, 8 %}

with

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

fct_account_activity_daily as (

    select * from {{ ref('fct_account_activity_daily') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

use as (

    select
        activity.account_id,
        max(activity.activity_date) as last_active_date,
        count(distinct activity.activity_date) filter (
            where activity.activity_date > {{ dbt.dateadd('day', -30, 'int_as_of.as_of_date') }}
        ) as active_day_count

    from fct_account_activity_daily as activity
    inner join int_as_of
        on activity.activity_date <= int_as_of.as_of_date
    where activity.active_user_count > 0
    group by activity.account_id

),

-- The latest month is the running one, or the month that ends on the as-of date.
latest_mrr as (

    select
        account_id,
        closing_mrr_usd,
        max(closing_mrr_usd) over (partition by account_id) > 0 as has_paid
    from fct_mrr_monthly
    qualify mrr_month = max(mrr_month) over ()

),

large as (

    select {{ percentile('closing_mrr_usd', 0.5) }} as least_large_usd
    from latest_mrr
    where closing_mrr_usd > 0

),

measured as (

    select
        dim_accounts.account_id,
        dim_accounts.is_internal or dim_accounts.is_test as is_internal,
        dim_accounts.workspace_count + dim_accounts.user_count > 0 as has_users,
        coalesce(latest_mrr.has_paid, false) as has_paid,
        coalesce(latest_mrr.closing_mrr_usd, 0) as mrr_usd,
        use.last_active_date,
        {{ dbt.datediff('use.last_active_date', 'int_as_of.as_of_date', 'day') }}
            as days_since_active,
        coalesce(use.active_day_count, 0) as active_day_count,
        large.least_large_usd

    from dim_accounts
    cross join int_as_of
    cross join large
    left join latest_mrr
        on dim_accounts.account_id = latest_mrr.account_id
    left join use
        on dim_accounts.account_id = use.account_id

),

levels as (

    select
        account_id,
        is_internal,
        has_paid,
        mrr_usd,
        last_active_date,
        days_since_active,
        case when has_users then active_day_count end as active_day_count,
        case
            when not has_users then 'unknown'
            when days_since_active <= {{ idle_days }} then 'recent'
            else 'idle'
        end as recency_level,
        case
            when not has_users then 'unknown'
            when active_day_count >= {{ heavy_use_days }} then 'heavy'
            else 'light'
        end as use_level,
        case
            when mrr_usd = 0 then 'none'
            when mrr_usd >= least_large_usd then 'large'
            else 'small'
        end as money_level

    from measured

),

-- The first rule that applies.
final as (

    select
        account_id,
        case
            when is_internal then 'internal'
            when money_level = 'none' and has_paid then 'former'
            when money_level = 'none' then 'prospect'
            when recency_level = 'unknown' then 'unseen'
            when recency_level = 'idle' then 'idle'
            when money_level = 'large' and use_level = 'heavy' then 'champion'
            when money_level = 'large' then 'underused'
            when use_level = 'heavy' then 'enthusiast'
            else 'casual'
        end as account_group,
        recency_level,
        use_level,
        money_level,
        last_active_date,
        cast(days_since_active as integer) as days_since_active,
        cast(active_day_count as integer) as active_day_count,
        cast(mrr_usd as decimal(28, 6)) as mrr_usd

    from levels

)

select * from final
