-- Which coupons and promotion codes are used, what do they cost, and do their customers stay?
with

fct_coupon_performance as (

    select * from {{ ref('fct_coupon_performance') }}

),

final as (

    select
        coalesce(coupon_name, coupon_id, 'not in the extracts') as coupon_name,
        promotion_code,
        duration,
        account_count,
        discount_usd,
        accounts_paying_3_months_count,
        accounts_observed_3_months_count,
        accounts_paying_12_months_count,
        accounts_observed_12_months_count

    from fct_coupon_performance
    where account_count > 0

)

select * from final
order by
    discount_usd desc,
    coupon_name asc,
    promotion_code asc nulls first
