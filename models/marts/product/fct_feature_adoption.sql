with

dim_features as (

    select * from {{ ref('dim_features') }}

),

dim_users as (

    select * from {{ ref('dim_users') }}

),

fct_events as (

    select * from {{ ref('fct_events') }}

),

-- Events without a feature are kept here, because they too date the start of an account.
used as (

    select
        user_id,
        account_id,
        feature_key,
        min(occurred_at) as first_used_at,
        max(occurred_at) as last_used_at,
        count(*) as use_count

    from fct_events
    where event_type = 'track' and user_id is not null and is_counted
    group by
        user_id,
        account_id,
        feature_key

),

account_starts as (

    select
        account_id,
        min(first_used_at) as started_at
    from used
    where account_id is not null
    group by account_id

),

adopters as (

    select
        'user' as adopter_type,
        used.user_id as adopter_id,
        used.user_id,
        dim_users.account_id,
        used.feature_key,
        dim_users.signed_up_at as started_at,
        min(used.first_used_at) as first_used_at,
        max(used.last_used_at) as last_used_at,
        sum(used.use_count) as use_count

    from used
    inner join dim_users
        on used.user_id = dim_users.user_id
    where used.feature_key is not null
    group by
        used.user_id,
        dim_users.account_id,
        used.feature_key,
        dim_users.signed_up_at

    union all

    select
        'account' as adopter_type,
        used.account_id as adopter_id,
        cast(null as string) as user_id,
        used.account_id,
        used.feature_key,
        account_starts.started_at,
        min(used.first_used_at) as first_used_at,
        max(used.last_used_at) as last_used_at,
        sum(used.use_count) as use_count

    from used
    inner join account_starts
        on used.account_id = account_starts.account_id
    where used.feature_key is not null
    group by
        used.account_id,
        used.feature_key,
        account_starts.started_at

),

dated as (

    select
        adopters.adopter_type,
        adopters.adopter_id,
        adopters.user_id,
        adopters.account_id,
        adopters.feature_key,
        adopters.first_used_at,
        adopters.last_used_at,
        adopters.use_count,
        cast(adopters.first_used_at as date) as first_used_date,
        greatest(cast(adopters.started_at as date), dim_features.introduced_date)
            as available_date

    from adopters
    inner join dim_features
        on adopters.feature_key = dim_features.feature_key

),

final as (

    select
        adopter_type,
        adopter_id,
        feature_key,
        user_id,
        account_id,
        available_date,
        first_used_date,
        first_used_at,
        last_used_at,
        cast(use_count as integer) as use_count,
        greatest(cast({{ dbt.datediff(
            'available_date', 'first_used_date', 'day'
        ) }} as integer), 0) as days_to_adopt

    from dated

)

select * from final
