-- Which coupons paid, and how much was received per dollar of discount? Compares the payments of
-- the accounts that used a coupon, from their first use on, with its discounts. An account that
-- used two coupons counts for both.
with

fct_coupon_performance as (

    select * from {{ ref('fct_coupon_performance') }}

),

fct_subscription_item_discounts as (

    select * from {{ ref('fct_subscription_item_discounts') }}

),

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

),

coupons as (

    select
        coupon_id,
        min(coupon_name) as coupon_name,
        min(duration) as duration,
        sum(discount_usd) as discount_usd,
        sum(accounts_observed_12_months_count) as observed_12_months_count,
        {{ ratio(
            'sum(accounts_paying_12_months_count)', 'sum(accounts_observed_12_months_count)'
        ) }} as retention_12_months_rate

    from fct_coupon_performance
    where coupon_id is not null
    group by coupon_id

),

uses as (

    select
        coupon_id,
        account_id,
        min(valid_from_at) as first_used_at

    from fct_subscription_item_discounts
    group by
        coupon_id,
        account_id

),

receipts as (

    select
        uses.coupon_id,
        count(distinct uses.account_id) as account_count,
        sum(fct_invoices.paid_usd) as received_usd

    from uses
    left join fct_invoices
        on
            uses.account_id = fct_invoices.account_id
            and uses.first_used_at <= fct_invoices.created_at
    group by uses.coupon_id

),

final as (

    select
        coupons.coupon_name,
        coupons.coupon_id,
        coupons.duration,
        receipts.account_count,
        coupons.discount_usd,
        receipts.received_usd,
        {{ ratio('receipts.received_usd', 'coupons.discount_usd') }} as received_per_discount_ratio,
        coupons.retention_12_months_rate

    from coupons
    inner join receipts
        on coupons.coupon_id = receipts.coupon_id

)

select * from final
order by
    received_per_discount_ratio desc nulls last,
    coupon_id asc
