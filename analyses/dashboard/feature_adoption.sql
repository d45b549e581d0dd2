-- What share of users and accounts uses each feature, and how long did they take to find it?
with

fct_feature_usage_monthly as (

    select * from {{ ref('fct_feature_usage_monthly') }}

),

fct_feature_adoption as (

    select * from {{ ref('fct_feature_adoption') }}

),

dim_features as (

    select * from {{ ref('dim_features') }}

),

last_month as (

    select max(usage_month) as usage_month
    from fct_feature_usage_monthly

),

adoption as (

    select
        feature_key,
        count(*) filter (where adopter_type = 'user') as user_count,
        count(*) filter (where adopter_type = 'account') as account_count,
        {{ percentile('days_to_adopt', 0.5) }} filter (
            where adopter_type = 'user'
        ) as median_user_days_to_adopt,
        {{ percentile('days_to_adopt', 0.5) }} filter (
            where adopter_type = 'account'
        ) as median_account_days_to_adopt

    from fct_feature_adoption
    group by feature_key

),

final as (

    select
        dim_features.feature_group,
        dim_features.feature_name,
        fct_feature_usage_monthly.usage_month,
        fct_feature_usage_monthly.user_adoption_rate,
        fct_feature_usage_monthly.account_adoption_rate,
        fct_feature_usage_monthly.new_user_count,
        adoption.user_count as user_count_ever,
        adoption.account_count as account_count_ever,
        adoption.median_user_days_to_adopt,
        adoption.median_account_days_to_adopt

    from fct_feature_usage_monthly
    inner join last_month
        on fct_feature_usage_monthly.usage_month = last_month.usage_month
    inner join dim_features
        on fct_feature_usage_monthly.feature_key = dim_features.feature_key
    left join adoption
        on fct_feature_usage_monthly.feature_key = adoption.feature_key

)

select * from final
order by
    user_adoption_rate desc,
    feature_name asc
