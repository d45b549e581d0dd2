with

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

changed as (

    select
        *,
        mrr_exclusion_reason is null as counts,
        not is_first_month_end and mrr_exclusion_reason_before is null as counted_before

    from int_mrr_items_monthly
    where mrr != mrr_before

),

-- A base item that goes in the month in which another comes is one change of plan.
base_items_swapped as (

    select
        account_id,
        mrr_month
    from changed
    where not is_add_on
    group by
        account_id,
        mrr_month
    having
        bool_or(counts and not counted_before)
        and bool_or(counted_before and not counts)

),

classified as (

    select
        changed.*,
        case
            when changed.counts and changed.counted_before then 'both'
            when changed.counts then 'appeared'
            else 'vanished'
        end as presence,
        case
            when not changed.counts and changed.mrr_exclusion_reason != 'canceled' then 'status'
            when not changed.counted_before and not changed.is_first_month_end then 'status'
            when changed.is_add_on then 'add_on'
            when base_items_swapped.account_id is not null then 'plan'
            else 'add_on'
        end as presence_reason,
        case
            when changed.list_mrr_before = 0 then 0
            else changed.mrr_before / changed.list_mrr_before
        end as paid_share_before,
        coalesce(changed.product_id, '') = coalesce(changed.product_id_before, '')
            as is_same_product,
        changed.price_id = changed.price_id_before as is_same_price

    from changed
    left join base_items_swapped
        on
            changed.account_id = base_items_swapped.account_id
            and changed.mrr_month = base_items_swapped.mrr_month

),

whole_items as (

    select
        account_id,
        mrr_month,
        product_id,
        presence_reason as movement_reason,
        (mrr - mrr_before) * usd_per_unit as mrr_usd
    from classified
    where presence != 'both'

),

-- At the share of the list that was paid before: what more seats or another plan bring comes with
-- the discount there was, and only a change of the share is the discount's doing.
plans_left as (

    select
        account_id,
        mrr_month,
        product_id_before as product_id,
        'plan' as movement_reason,
        -(mrr_before * usd_per_unit) as mrr_usd
    from classified
    where
        presence = 'both'
        and not is_same_product

),

plans_entered as (

    select
        account_id,
        mrr_month,
        product_id,
        'plan' as movement_reason,
        list_mrr * paid_share_before * usd_per_unit as mrr_usd
    from classified
    where
        presence = 'both'
        and not is_same_product

),

-- With price and quantity both changed, the seats come or go at the old price for each.
seats as (

    select
        account_id,
        mrr_month,
        product_id,
        'seats' as movement_reason,
        case
            when is_same_price then list_mrr - list_mrr_before
            else coalesce(list_mrr_before * (quantity - quantity_before) / quantity_before, 0)
        end * paid_share_before * usd_per_unit as mrr_usd
    from classified
    where
        presence = 'both'
        and is_same_product

),

prices as (

    select
        account_id,
        mrr_month,
        product_id,
        'price' as movement_reason,
        (
            list_mrr - list_mrr_before
            - coalesce(list_mrr_before * (quantity - quantity_before) / quantity_before, 0)
        ) * paid_share_before * usd_per_unit as mrr_usd
    from classified
    where
        presence = 'both'
        and is_same_product
        and not is_same_price

),

discounts as (

    select
        account_id,
        mrr_month,
        product_id,
        'discount' as movement_reason,
        (mrr - list_mrr * paid_share_before) * usd_per_unit as mrr_usd
    from classified
    where presence = 'both'

),

all_parts as (

    select * from whole_items
    union all
    select * from plans_left
    union all
    select * from plans_entered
    union all
    select * from seats
    union all
    select * from prices
    union all
    select * from discounts

),

final as (

    select
        account_id,
        mrr_month,
        product_id,
        movement_reason,
        cast(sum(mrr_usd) as decimal(28, 6)) as mrr_usd

    from all_parts
    group by
        account_id,
        mrr_month,
        product_id,
        movement_reason

)

select * from final
