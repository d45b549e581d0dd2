with

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

changed as (

    select
        account_id,
        mrr_month,
        usd_per_unit,
        product_id,
        price_id,
        is_add_on,
        quantity,
        list_mrr,
        mrr,
        mrr_exclusion_reason,
        mrr_before,
        list_mrr_before,
        product_id_before,
        price_id_before,
        quantity_before,
        is_first_month_end,
        mrr_exclusion_reason is null as counts,
        not is_first_month_end and mrr_exclusion_reason_before is null as counted_before

    from int_mrr_items_monthly
    where mrr != mrr_before

),

-- A base item that ends in the month in which another starts is one change of plan.
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

-- Seats, plans and prices are valued at the share of the list price that was paid before, so that
-- only a change of that share is a discount. If price and quantity both change, the seats are
-- valued at the old price.
classified as (

    select
        changed.account_id,
        changed.mrr_month,
        changed.usd_per_unit,
        changed.product_id,
        changed.product_id_before,
        changed.mrr,
        changed.mrr_before,
        changed.list_mrr,
        changed.list_mrr_before,
        changed.counts and changed.counted_before as counts_at_both_ends,
        case
            when not changed.counts and changed.mrr_exclusion_reason != 'canceled' then 'status'
            when not changed.counted_before and not changed.is_first_month_end then 'status'
            when changed.is_add_on then 'add_on'
            when base_items_swapped.account_id is not null then 'plan'
            else 'add_on'
        end as reason_of_whole_item,
        coalesce(
            {{ ratio('changed.mrr_before', 'changed.list_mrr_before') }}, 0
        ) as paid_share_before,
        coalesce(changed.product_id, '') = coalesce(changed.product_id_before, '')
            as is_same_product,
        changed.price_id = changed.price_id_before as is_same_price,
        coalesce(
            {{ ratio(
                'changed.list_mrr_before * (changed.quantity - changed.quantity_before)',
                'changed.quantity_before'
            ) }}, 0
        ) as seats_at_old_price

    from changed
    left join base_items_swapped
        on
            changed.account_id = base_items_swapped.account_id
            and changed.mrr_month = base_items_swapped.mrr_month

),

parts as (

    select
        account_id,
        mrr_month,
        product_id,
        reason_of_whole_item as movement_reason,
        (mrr - mrr_before) * usd_per_unit as mrr_usd
    from classified
    where not counts_at_both_ends

    union all

    select
        account_id,
        mrr_month,
        product_id_before as product_id,
        'plan' as movement_reason,
        -(mrr_before * usd_per_unit) as mrr_usd
    from classified
    where
        counts_at_both_ends
        and not is_same_product

    union all

    select
        account_id,
        mrr_month,
        product_id,
        'plan' as movement_reason,
        list_mrr * paid_share_before * usd_per_unit as mrr_usd
    from classified
    where
        counts_at_both_ends
        and not is_same_product

    union all

    select
        account_id,
        mrr_month,
        product_id,
        'seats' as movement_reason,
        case
            when is_same_price then list_mrr - list_mrr_before
            else seats_at_old_price
        end * paid_share_before * usd_per_unit as mrr_usd
    from classified
    where
        counts_at_both_ends
        and is_same_product

    union all

    select
        account_id,
        mrr_month,
        product_id,
        'price' as movement_reason,
        (list_mrr - list_mrr_before - seats_at_old_price)
        * paid_share_before * usd_per_unit as mrr_usd
    from classified
    where
        counts_at_both_ends
        and is_same_product
        and not is_same_price

    union all

    select
        account_id,
        mrr_month,
        product_id,
        'discount' as movement_reason,
        (mrr - list_mrr * paid_share_before) * usd_per_unit as mrr_usd
    from classified
    where counts_at_both_ends

),

final as (

    select
        account_id,
        mrr_month,
        product_id,
        movement_reason,
        cast(sum(mrr_usd) as decimal(28, 6)) as mrr_usd

    from parts
    group by
        account_id,
        mrr_month,
        product_id,
        movement_reason

)

select * from final
