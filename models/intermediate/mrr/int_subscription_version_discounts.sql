with

int_discounts_resolved as (

    select * from {{ ref('int_discounts_resolved') }}

),

int_item_discounts_invoiced as (

    select * from {{ ref('int_item_discounts_invoiced') }}

),

int_subscription_version_discounts_listed as (

    select * from {{ ref('int_subscription_version_discounts_listed') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

-- Stripe returns the products of a coupon only when asked to. Where no copy has them, invoices show
-- which products the coupon reduced. An item's own discount says nothing about other items.
coupon_products as (

    select
        int_discounts_resolved.coupon_id,
        int_item_discounts_invoiced.product_id,
        max_by(
            int_item_discounts_invoiced.is_discounted,
            cast(int_item_discounts_invoiced.last_seen_at as string)
            || cast(int_item_discounts_invoiced.is_discounted as string)
        ) as is_discounted

    from int_item_discounts_invoiced
    inner join int_discounts_resolved
        on int_item_discounts_invoiced.discount_id = int_discounts_resolved.discount_id
    where
        int_discounts_resolved.coupon_id is not null
        and int_discounts_resolved.product_ids is null
        and int_discounts_resolved.discount_level != 'item'
        and int_item_discounts_invoiced.product_id is not null
    group by
        int_discounts_resolved.coupon_id,
        int_item_discounts_invoiced.product_id

),

coupon_product_lists as (

    select
        coupon_id,
        array_agg(product_id) filter (where is_discounted) as invoiced_product_ids,
        array_agg(product_id) filter (where not is_discounted) as spared_product_ids
    from coupon_products
    group by coupon_id

),

-- A discount on one invoice only may be a `once` discount, unless its coupon says otherwise. Of a
-- fixed amount, Stripe returns the other currencies only when asked to.
unresolved_on_invoices as (

    select
        int_item_discounts_invoiced.subscription_id,
        int_item_discounts_invoiced.subscription_item_id,
        int_item_discounts_invoiced.discount_id,
        row_number() over (
            partition by
                int_item_discounts_invoiced.subscription_id,
                int_item_discounts_invoiced.subscription_item_id
            order by
                int_item_discounts_invoiced.position_number,
                int_item_discounts_invoiced.live_from_at,
                int_item_discounts_invoiced.discount_id,
                int_item_discounts_invoiced.product_id
        ) as position_number,
        int_item_discounts_invoiced.percent_off,
        resolved.coupon_id,
        resolved.promotion_code_id,
        resolved.duration,
        case
            when
                resolved.is_resolved
                and lag(int_item_discounts_invoiced.live_from_at) over (
                    partition by
                        int_item_discounts_invoiced.subscription_id,
                        int_item_discounts_invoiced.subscription_item_id,
                        int_item_discounts_invoiced.discount_id
                    order by int_item_discounts_invoiced.live_from_at
                ) is null
                then coalesce(resolved.live_from_at, int_item_discounts_invoiced.live_from_at)
            else int_item_discounts_invoiced.live_from_at
        end as live_from_at,
        case
            when resolved.is_resolved
                then least(int_item_discounts_invoiced.live_to_at, resolved.live_to_at)
            else int_item_discounts_invoiced.live_to_at
        end as live_to_at,
        coalesce(resolved.is_resolved, false) as is_resolved,
        max(int_item_discounts_invoiced.invoice_count) over (
            partition by
                int_item_discounts_invoiced.subscription_id, int_item_discounts_invoiced.discount_id
        ) > 1 as is_repeated

    from int_item_discounts_invoiced
    left join int_discounts_resolved as resolved
        on int_item_discounts_invoiced.discount_id = resolved.discount_id
    where
        int_item_discounts_invoiced.is_discounted
        and (
            not coalesce(resolved.is_resolved, false)
            or coalesce(
                resolved.percent_off,
                case
                    when resolved.coupon_currency = int_item_discounts_invoiced.currency
                        then resolved.amount_off_minor
                    else {{ list_transform(
                        'resolved.currency_options',
                        'case when element.currency = int_item_discounts_invoiced.currency'
                        ' then element.amount_off_minor end',
                        'min'
                    ) }}
                end
            ) is null
        )

),

explained as (

    select distinct
        subscription_id,
        discount_id
    from unresolved_on_invoices

),

final as (

    select
        listed.version_id,
        listed.subscription_id,
        listed.subscription_item_id,
        listed.level_number,
        listed.position_number,
        listed.discount_id,
        listed.coupon_id,
        listed.promotion_code_id,
        listed.percent_off,
        listed.amount_off_minor,
        listed.coupon_currency,
        listed.currency_options,
        listed.duration,
        listed.product_ids,
        coupon_product_lists.invoiced_product_ids,
        coupon_product_lists.spared_product_ids,
        listed.live_from_at,
        listed.live_to_at,
        listed.is_resolved,
        false as is_from_invoice

    from int_subscription_version_discounts_listed as listed
    left join coupon_product_lists
        on
            listed.coupon_id = coupon_product_lists.coupon_id
            and listed.product_ids is null
    left join explained
        on
            listed.subscription_id = explained.subscription_id
            and listed.discount_id = explained.discount_id
    where explained.discount_id is null

    union all

    select
        int_subscription_versions.version_id,
        int_subscription_versions.subscription_id,
        invoiced.subscription_item_id,
        2 as level_number,
        10000 + invoiced.position_number as position_number,
        invoiced.discount_id,
        invoiced.coupon_id,
        invoiced.promotion_code_id,
        invoiced.percent_off,
        cast(null as bigint) as amount_off_minor,
        cast(null as string) as coupon_currency,
        null as currency_options,
        case
            when invoiced.is_resolved then invoiced.duration
            when invoiced.is_repeated then 'forever'
        end as duration,
        null as product_ids,
        null as invoiced_product_ids,
        null as spared_product_ids,
        invoiced.live_from_at,
        invoiced.live_to_at,
        invoiced.is_resolved or invoiced.is_repeated as is_resolved,
        true as is_from_invoice

    from unresolved_on_invoices as invoiced
    inner join int_subscription_versions
        on
            invoiced.subscription_id = int_subscription_versions.subscription_id
            and invoiced.live_from_at
            < coalesce(int_subscription_versions.valid_to_at, cast('9999-12-31' as timestamp))
            and coalesce(invoiced.live_to_at, cast('9999-12-31' as timestamp))
            > int_subscription_versions.valid_from_at

)

select * from final
