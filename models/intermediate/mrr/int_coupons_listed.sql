with

stg_stripe__coupons as (

    select * from {{ ref('stg_stripe__coupons') }}

),

stg_stripe__promotion_codes as (

    select * from {{ ref('stg_stripe__promotion_codes') }}

),

int_discounts_resolved as (

    select * from {{ ref('int_discounts_resolved') }}

),

-- A coupon that was deleted, or never exported, is still named by its discounts.
pairs as (

    select
        coupon_id,
        cast(null as string) as promotion_code_id
    from stg_stripe__coupons

    union distinct

    select
        coupon_id,
        promotion_code_id
    from stg_stripe__promotion_codes
    where coupon_id is not null

    union distinct

    select
        coupon_id,
        promotion_code_id
    from int_discounts_resolved
    where coupon_id is not null

),

resolved_terms as (

    select
        coupon_id,
        max(duration) as duration,
        max(percent_off) as percent_off
    from int_discounts_resolved
    group by coupon_id

),

codes as (

    select
        coupon_id,
        sum(redemption_count) as redemption_count
    from stg_stripe__promotion_codes
    group by coupon_id

),

-- A coupon counts the redemptions of its codes too. The row without a code has only the others.
final as (

    select
        pairs.coupon_id,
        pairs.promotion_code_id,
        stg_stripe__promotion_codes.code as promotion_code,
        stg_stripe__coupons.coupon_name,
        coalesce(stg_stripe__coupons.duration, resolved_terms.duration) as duration,
        coalesce(stg_stripe__coupons.percent_off, resolved_terms.percent_off) as percent_off,
        case
            when pairs.promotion_code_id is not null
                then stg_stripe__promotion_codes.redemption_count
            when coalesce(codes.redemption_count, 0) > stg_stripe__coupons.redemption_count then 0
            else stg_stripe__coupons.redemption_count - coalesce(codes.redemption_count, 0)
        end as stated_redemption_count

    from pairs
    left join stg_stripe__coupons
        on pairs.coupon_id = stg_stripe__coupons.coupon_id
    left join stg_stripe__promotion_codes
        on pairs.promotion_code_id = stg_stripe__promotion_codes.promotion_code_id
    left join resolved_terms
        on pairs.coupon_id = resolved_terms.coupon_id
    left join codes
        on pairs.coupon_id = codes.coupon_id

)

select * from final
