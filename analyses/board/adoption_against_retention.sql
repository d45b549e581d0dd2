-- Do accounts that adopt a feature in their first 90 days stay longer than those that do not? Among
-- accounts that first paid at least nine months before the last closed month, the share that still
-- pays in it. A correlation, not a cause.
with

fct_mrr_monthly as (

    select
        account_id,
        mrr_month,
        closing_mrr_usd
    from {{ ref('fct_mrr_monthly') }}
    where is_month_closed

),

fct_feature_adoption as (

    select * from {{ ref('fct_feature_adoption') }}

),

dim_features as (

    select * from {{ ref('dim_features') }}

),

last_month as (

    select max(mrr_month) as mrr_month
    from fct_mrr_monthly

),

accounts as (

    select
        fct_mrr_monthly.account_id,
        min(fct_mrr_monthly.mrr_month) as first_mrr_month,
        max_by(fct_mrr_monthly.closing_mrr_usd, fct_mrr_monthly.mrr_month) > 0 as is_kept

    from fct_mrr_monthly
    cross join last_month
    group by
        fct_mrr_monthly.account_id,
        last_month.mrr_month
    having min(fct_mrr_monthly.mrr_month) <= {{ dbt.dateadd('month', -9, 'last_month.mrr_month') }}

),

-- Only accounts with recorded use, because the others may have used anything.
judged as (

    select
        accounts.account_id,
        accounts.is_kept,
        dim_features.feature_key,
        dim_features.feature_name,
        count(fct_feature_adoption.account_id) filter (
            where fct_feature_adoption.feature_key = dim_features.feature_key
            and fct_feature_adoption.first_used_date
            <= {{ dbt.dateadd('month', 3, 'accounts.first_mrr_month') }}
        ) > 0 as is_adopter

    from accounts
    inner join fct_feature_adoption
        on
            accounts.account_id = fct_feature_adoption.account_id
            and fct_feature_adoption.adopter_type = 'account'
    cross join dim_features
    group by
        accounts.account_id,
        accounts.is_kept,
        dim_features.feature_key,
        dim_features.feature_name

),

final as (

    select
        feature_name,
        count(*) filter (where is_adopter) as adopter_count,
        {{ ratio(
            'count(*) filter (where is_adopter and is_kept)',
            'count(*) filter (where is_adopter)'
        ) }} as adopters_kept_rate,
        count(*) filter (where not is_adopter) as other_count,
        {{ ratio(
            'count(*) filter (where not is_adopter and is_kept)',
            'count(*) filter (where not is_adopter)'
        ) }} as others_kept_rate

    from judged
    group by
        feature_key,
        feature_name

)

select * from final
order by
    adopters_kept_rate - others_kept_rate desc nulls last,
    feature_name asc
