with

dim_features as (

    select * from {{ ref('dim_features') }}

),

fct_events as (

    select * from {{ ref('fct_events') }}

),

fct_feature_adoption as (

    select * from {{ ref('fct_feature_adoption') }}

),

used as (

    select
        {{ month_start('occurred_date') }} as usage_month,
        feature_key,
        user_id,
        account_id,
        count(*) as use_count

    from fct_events
    where event_type = 'track' and user_id is not null and is_counted
    group by
        usage_month,
        feature_key,
        user_id,
        account_id

),

-- Active users and accounts, whichever features they used.
months as (

    select
        usage_month,
        count(distinct user_id) as active_user_count,
        count(distinct account_id) as active_account_count

    from used
    group by usage_month

),

uses as (

    select
        usage_month,
        feature_key,
        count(distinct user_id) as user_count,
        count(distinct account_id) as account_count,
        sum(use_count) as use_count

    from used
    where feature_key is not null
    group by
        usage_month,
        feature_key

),

adopted as (

    select
        {{ month_start('first_used_date') }} as usage_month,
        feature_key,
        count(*) filter (where adopter_type = 'user') as new_user_count,
        count(*) filter (where adopter_type = 'account') as new_account_count

    from fct_feature_adoption
    group by
        usage_month,
        feature_key

),

final as (

    select
        months.usage_month,
        dim_features.feature_key,
        cast(months.active_user_count as integer) as active_user_count,
        cast(coalesce(uses.user_count, 0) as integer) as feature_user_count,
        cast(coalesce(adopted.new_user_count, 0) as integer) as new_user_count,
        cast(months.active_account_count as integer) as active_account_count,
        cast(coalesce(uses.account_count, 0) as integer) as feature_account_count,
        cast(coalesce(adopted.new_account_count, 0) as integer) as new_account_count,
        cast(coalesce(uses.use_count, 0) as integer) as use_count,
        {{ ratio('coalesce(uses.user_count, 0)', 'months.active_user_count') }}
            as user_adoption_rate,
        {{ ratio('coalesce(uses.account_count, 0)', 'months.active_account_count') }}
            as account_adoption_rate

    from months
    cross join dim_features
    left join uses
        on
            months.usage_month = uses.usage_month
            and dim_features.feature_key = uses.feature_key
    left join adopted
        on
            months.usage_month = adopted.usage_month
            and dim_features.feature_key = adopted.feature_key

)

select * from final
