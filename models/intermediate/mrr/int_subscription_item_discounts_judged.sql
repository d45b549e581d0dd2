with

int_subscription_item_mrr_periods as (

    select * from {{ ref('int_subscription_item_mrr_periods') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

subscription_products as (

    select
        mrr_period_id,
        count(distinct product_id) as product_count
    from int_subscription_item_mrr_periods
    where mrr_exclusion_reason is null
    group by mrr_period_id

),

-- A coupon of unknown products surely applies where the subscription has a single product.
final as (

    select
        periods.mrr_period_id,
        periods.subscription_item_id,
        bool_or(
            not discounts.is_resolved
            or (
                discounts.duration != 'once'
                and discounts.product_ids is null
                and not discounts.is_from_invoice
                and discounts.subscription_item_id is null
                and subscription_products.product_count > 1
                and not coalesce(
                    array_contains(discounts.invoiced_product_ids, periods.product_id), false
                )
                and not coalesce(
                    array_contains(discounts.spared_product_ids, periods.product_id), false
                )
            )
        ) as is_unresolved,
        bool_or(
            discounts.is_resolved
            and (
                discounts.is_from_invoice
                or coalesce(
                    array_contains(discounts.spared_product_ids, periods.product_id), false
                )
            )
        ) as is_from_invoice

    from int_subscription_item_mrr_periods as periods
    inner join subscription_products
        on periods.mrr_period_id = subscription_products.mrr_period_id
    inner join int_subscription_version_discounts as discounts
        on
            periods.version_id = discounts.version_id
            and coalesce(
                periods.subscription_item_id = discounts.subscription_item_id, true
            )
    where
        discounts.live_from_at <= periods.valid_from_at
        and coalesce(discounts.live_to_at > periods.valid_from_at, true)
    group by
        periods.mrr_period_id,
        periods.subscription_item_id

)

select * from final
