-- Proves that the first use of a feature, by a user and by an account, is its earliest event, and
-- that every use is counted once. A first date kept from an earlier build would not move when an
-- earlier event arrives late.
with

expected as (

    select
        'user' as adopter_type,
        user_id as adopter_id,
        feature_key,
        min(occurred_at) as first_used_at,
        count(*) as use_count

    from {{ ref('fct_events') }}
    where
        event_type = 'track' and feature_key is not null and user_id is not null and is_counted
    group by
        user_id,
        feature_key

    union all

    select
        'account' as adopter_type,
        account_id as adopter_id,
        feature_key,
        min(occurred_at) as first_used_at,
        count(*) as use_count

    from {{ ref('fct_events') }}
    where
        event_type = 'track' and feature_key is not null and user_id is not null and is_counted
        and account_id is not null
    group by
        account_id,
        feature_key

),

months as (

    select
        feature_key,
        sum(use_count) as use_count
    from {{ ref('fct_feature_usage_monthly') }}
    group by feature_key

),

adopters as (

    select
        feature_key,
        sum(use_count) as use_count
    from {{ ref('fct_feature_adoption') }}
    where adopter_type = 'user'
    group by feature_key

)

select
    expected.adopter_type,
    expected.adopter_id,
    expected.feature_key

from expected
left join {{ ref('fct_feature_adoption') }} as fct_feature_adoption
    on
        expected.adopter_type = fct_feature_adoption.adopter_type
        and expected.adopter_id = fct_feature_adoption.adopter_id
        and expected.feature_key = fct_feature_adoption.feature_key
where not coalesce(
        expected.first_used_at = fct_feature_adoption.first_used_at
        and expected.use_count = fct_feature_adoption.use_count,
        false
    )

union all

select
    'month' as adopter_type,
    'all' as adopter_id,
    adopters.feature_key

from adopters
left join months
    on adopters.feature_key = months.feature_key
where adopters.use_count != coalesce(months.use_count, 0)
