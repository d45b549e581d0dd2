with

int_discounts_resolved as (

    select * from {{ ref('int_discounts_resolved') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

versions as (

    select
        int_subscription_versions.version_id,
        int_subscription_versions.subscription_id,
        records.items,
        records.discounts

    from int_subscription_versions
    inner join int_subscription_source_records as records
        on
            int_subscription_versions.subscription_id = records.subscription_id
            and int_subscription_versions.record_number = records.record_number

),

subscription_lists as (

    select
        version_id,
        subscription_id,
        cast(null as string) as subscription_item_id,
        {{ explode('discounts', with_position=true) }} as listed
    from versions

),

nested as (

    select
        version_id,
        subscription_id,
        {{ explode('items') }} as item
    from versions

),

items as (

    select
        version_id,
        subscription_id,
        item.subscription_item_id,
        item.discounts
    from nested

),

item_lists as (

    select
        version_id,
        subscription_id,
        subscription_item_id,
        {{ explode('discounts', with_position=true) }} as listed
    from items

),

listed as (

    select
        version_id,
        subscription_id,
        subscription_item_id,
        1 as level_number,
        listed.position as position_number,
        listed.value.discount_id
    from item_lists

    union all

    select
        version_id,
        subscription_id,
        subscription_item_id,
        2 as level_number,
        listed.position as position_number,
        listed.value.discount_id
    from subscription_lists

),

all_discounts as (

    select
        version_id,
        subscription_id,
        subscription_item_id,
        level_number,
        position_number,
        discount_id
    from listed

    union all

    -- A discount that names its subscription although no version of it lists the discount.
    select
        int_subscription_versions.version_id,
        int_discounts_resolved.subscription_id,
        int_discounts_resolved.subscription_item_id,
        case when int_discounts_resolved.discount_level = 'item' then 1 else 2 end as level_number,
        1000 + row_number() over (
            partition by int_subscription_versions.version_id
            order by
                int_discounts_resolved.live_from_at nulls last, int_discounts_resolved.discount_id
        ) as position_number,
        int_discounts_resolved.discount_id

    from int_discounts_resolved
    inner join int_subscription_versions
        on int_discounts_resolved.subscription_id = int_subscription_versions.subscription_id
    where
        int_discounts_resolved.discount_level in ('item', 'subscription')
        and int_discounts_resolved.discount_id not in (
            select listed.discount_id
            from listed
            where listed.discount_id is not null
        )

    union all

    select
        int_subscription_versions.version_id,
        int_subscription_versions.subscription_id,
        cast(null as string) as subscription_item_id,
        3 as level_number,
        1 as position_number,
        int_discounts_resolved.discount_id

    from int_discounts_resolved
    inner join int_subscription_versions
        on int_discounts_resolved.stripe_customer_id = int_subscription_versions.stripe_customer_id
    where int_discounts_resolved.discount_level = 'customer'

),

final as (

    select
        all_discounts.version_id,
        all_discounts.subscription_id,
        all_discounts.subscription_item_id,
        all_discounts.level_number,
        all_discounts.position_number,
        all_discounts.discount_id,
        int_discounts_resolved.coupon_id,
        int_discounts_resolved.promotion_code_id,
        int_discounts_resolved.percent_off,
        int_discounts_resolved.amount_off_minor,
        int_discounts_resolved.coupon_currency,
        int_discounts_resolved.currency_options,
        int_discounts_resolved.duration,
        int_discounts_resolved.product_ids,
        coalesce(
            int_discounts_resolved.live_from_at, int_subscription_versions.valid_from_at
        ) as live_from_at,
        int_discounts_resolved.live_to_at,
        coalesce(int_discounts_resolved.is_resolved, false) as is_resolved

    from all_discounts
    inner join int_subscription_versions
        on all_discounts.version_id = int_subscription_versions.version_id
    left join int_discounts_resolved
        on all_discounts.discount_id = int_discounts_resolved.discount_id
    where
        int_discounts_resolved.live_from_at is null
        or (
            int_subscription_versions.valid_to_at is null
            or int_discounts_resolved.live_from_at < int_subscription_versions.valid_to_at
        )
        and (
            int_discounts_resolved.live_to_at is null
            or int_discounts_resolved.live_to_at > int_subscription_versions.valid_from_at
        )

)

select * from final
