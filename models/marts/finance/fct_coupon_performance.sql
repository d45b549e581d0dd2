with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_coupon_uses as (

    select * from {{ ref('int_coupon_uses') }}

),

int_coupons_listed as (

    select * from {{ ref('int_coupons_listed') }}

),

uses as (

    select
        int_coupon_uses.coupon_id,
        int_coupon_uses.promotion_code_id,
        int_coupon_uses.account_id,
        int_coupon_uses.stripe_customer_id,
        int_coupon_uses.subscription_id,
        int_coupon_uses.invoice_id,
        int_coupon_uses.used_at,
        int_coupon_uses.discount_usd

    from int_coupon_uses
    cross join int_as_of
    where int_coupon_uses.used_at <= int_as_of.as_of_at

),

uptake as (

    select
        coupon_id,
        promotion_code_id,
        count(distinct account_id) as account_count,
        count(distinct stripe_customer_id) as customer_count,
        count(distinct subscription_id) as subscription_count,
        count(distinct invoice_id) as invoice_count,
        coalesce(sum(discount_usd), 0) as discount_usd,
        min(used_at) as first_used_at,
        max(used_at) as last_used_at

    from uses
    group by
        coupon_id,
        promotion_code_id

),

first_uses as (

    select
        coupon_id,
        promotion_code_id,
        account_id,
        {{ month_start('min(used_at)') }} as first_month
    from uses
    group by
        coupon_id,
        promotion_code_id,
        account_id

),

horizons as (

    select
        first_uses.coupon_id,
        first_uses.promotion_code_id,
        first_uses.account_id,
        months.months_after,
        cast({{ dbt.dateadd('month', 'months.months_after', 'first_uses.first_month') }} as date)
            as observed_month

    from first_uses
    cross join (values (3), (6), (12)) as months (months_after)

),

-- An account is observed only once its month, that many months later, has closed.
retention as (

    select
        horizons.coupon_id,
        horizons.promotion_code_id,
        horizons.months_after,
        count(*) as observed_count,
        count(*) filter (where fct_mrr_monthly.closing_mrr_usd > 0) as paying_count

    from horizons
    cross join int_as_of
    left join fct_mrr_monthly
        on
            horizons.account_id = fct_mrr_monthly.account_id
            and horizons.observed_month = fct_mrr_monthly.mrr_month
    where
        {{ dbt.dateadd('month', 1, 'horizons.observed_month') }}
        <= {{ dbt.dateadd('day', 1, 'int_as_of.as_of_date') }}
    group by
        horizons.coupon_id,
        horizons.promotion_code_id,
        horizons.months_after

),

pairs as (

    select
        coupon_id,
        promotion_code_id
    from int_coupons_listed

    union distinct

    select
        coupon_id,
        promotion_code_id
    from uptake

),

final as (

    select
        concat_ws(':', coalesce(pairs.coupon_id, 'unresolved'), pairs.promotion_code_id)
            as coupon_performance_id,
        pairs.coupon_id,
        pairs.promotion_code_id,
        int_coupons_listed.promotion_code,
        int_coupons_listed.coupon_name,
        int_coupons_listed.duration,
        cast(int_coupons_listed.percent_off * 0.01 as decimal(9, 6)) as discount_rate,
        cast(int_coupons_listed.stated_redemption_count as integer) as stated_redemption_count,
        cast(coalesce(uptake.account_count, 0) as integer) as account_count,
        cast(coalesce(uptake.customer_count, 0) as integer) as customer_count,
        cast(coalesce(uptake.subscription_count, 0) as integer) as subscription_count,
        cast(coalesce(uptake.invoice_count, 0) as integer) as invoice_count,
        cast(coalesce(uptake.discount_usd, 0) as decimal(28, 6)) as discount_usd,
        uptake.first_used_at,
        uptake.last_used_at,
        cast(coalesce(after_3.observed_count, 0) as integer) as accounts_observed_3_months_count,
        cast(coalesce(after_3.paying_count, 0) as integer) as accounts_paying_3_months_count,
        cast({{ ratio('after_3.paying_count', 'after_3.observed_count') }} as decimal(9, 6))
            as retention_3_months_rate,
        cast(coalesce(after_6.observed_count, 0) as integer) as accounts_observed_6_months_count,
        cast(coalesce(after_6.paying_count, 0) as integer) as accounts_paying_6_months_count,
        cast({{ ratio('after_6.paying_count', 'after_6.observed_count') }} as decimal(9, 6))
            as retention_6_months_rate,
        cast(coalesce(after_12.observed_count, 0) as integer) as accounts_observed_12_months_count,
        cast(coalesce(after_12.paying_count, 0) as integer) as accounts_paying_12_months_count,
        cast({{ ratio('after_12.paying_count', 'after_12.observed_count') }} as decimal(9, 6))
            as retention_12_months_rate

    from pairs
    left join int_coupons_listed
        on
            pairs.coupon_id = int_coupons_listed.coupon_id
            and pairs.promotion_code_id
            is not distinct from int_coupons_listed.promotion_code_id
    left join uptake
        on
            pairs.coupon_id is not distinct from uptake.coupon_id
            and pairs.promotion_code_id is not distinct from uptake.promotion_code_id
    left join retention as after_3
        on
            after_3.months_after = 3
            and pairs.coupon_id is not distinct from after_3.coupon_id
            and pairs.promotion_code_id is not distinct from after_3.promotion_code_id
    left join retention as after_6
        on
            after_6.months_after = 6
            and pairs.coupon_id is not distinct from after_6.coupon_id
            and pairs.promotion_code_id is not distinct from after_6.promotion_code_id
    left join retention as after_12
        on
            after_12.months_after = 12
            and pairs.coupon_id is not distinct from after_12.coupon_id
            and pairs.promotion_code_id is not distinct from after_12.promotion_code_id

)

select * from final
