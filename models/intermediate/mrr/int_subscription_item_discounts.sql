{%- set items = '(partition by mrr_period_id, step_number order by subscription_item_id)' -%}
{%- set ignored_durations = "('once')" if var('mrr_repeating_coupons') == 'subtract'
    else "('once', 'repeating')" -%}
{%- set remaining_mrr -%}
    case
        when element = 0 or (percents_off[position] = 0 and amounts_off[position] = 0) then element
        when percents_off[position] != 0
            then cast(
                    {{ ratio('element * (100 - percents_off[position])', '100') }}
                    as decimal(38, 12)
                )
        else cast(
                greatest(
                    element - amounts_off[position]
                    * {{ ratio(
                        'element', 'case when is_spread then spread_over_mrr else element end'
                    ) }},
                    0
                ) as decimal(38, 12)
            )
    end
{%- endset -%}

with recursive

int_subscription_item_mrr_periods as (

    select * from {{ ref('int_subscription_item_mrr_periods') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

-- Every item that counts with every discount of its period. `once` lowers one invoice and never
-- MRR. A customer's discount applies only where the subscription and its items have none.
item_discounts as (

    select
        items.mrr_period_id,
        items.subscription_item_id,
        items.gross_list_mrr,
        discounts.discount_id,
        discounts.coupon_id,
        discounts.promotion_code_id,
        discounts.percent_off,
        -- A fixed amount comes off each invoice, so the price's interval makes it monthly.
        cast(
            {{ ratio(
                'case
                    when discounts.coupon_currency = items.currency
                        then discounts.amount_off_minor
                    else ' ~ list_transform(
                    'discounts.currency_options',
                    'case when element.currency = items.currency then element.amount_off_minor end',
                    'min'
                ) ~ '
                end * items.month_numerator',
                'items.month_denominator * pow(10, items.stripe_minor_unit_exponent)'
            ) }} as decimal(38, 12)
        ) as amount_off_mrr,
        cast(
            dense_rank() over (
                partition by items.mrr_period_id
                order by discounts.level_number, discounts.position_number
            ) as integer
        ) as step_number,
        discounts.subscription_item_id is null as is_spread,
        coalesce(discounts.subscription_item_id = items.subscription_item_id, true)
        and (
            discounts.product_ids is null
            or array_contains(discounts.product_ids, items.product_id)
        )
        and not coalesce(array_contains(discounts.spared_product_ids, items.product_id), false)
            as is_applied

    from int_subscription_item_mrr_periods as items
    inner join int_subscription_version_discounts as discounts
        on items.version_id = discounts.version_id
    where
        items.mrr_exclusion_reason is null
        and discounts.is_resolved
        and discounts.duration not in {{ ignored_durations }}
        and discounts.live_from_at <= items.valid_from_at
        and coalesce(discounts.live_to_at > items.valid_from_at, true)
    qualify
        discounts.level_number < 3
        or min(discounts.level_number) over (partition by items.mrr_period_id) = 3

),

step_items as (

    select
        mrr_period_id,
        step_number,
        is_spread,
        subscription_item_id,
        gross_list_mrr,
        coalesce(max(percent_off) filter (where is_applied), 0) as percent_off,
        coalesce(max(amount_off_mrr) filter (where is_applied), 0) as amount_off_mrr

    from item_discounts
    group by all

),

-- Not every engine allows an aggregate in a recursive term, so a step has its items as lists, all
-- in the order of the item ids. A running list is complete at the last item.
steps as (

    select
        mrr_period_id,
        step_number,
        is_spread,
        array_agg(subscription_item_id) over {{ items }} as subscription_item_ids,
        array_agg(gross_list_mrr) over {{ items }} as gross_list_mrrs,
        array_agg(percent_off) over {{ items }} as percents_off,
        array_agg(amount_off_mrr) over {{ items }} as amounts_off

    from step_items
    qualify lead(subscription_item_id) over {{ items }} is null

),

-- Each discount applies to what the discounts before it left. A fixed amount is spread over the
-- items it applies to, in proportion to what is left of each.
stacked as (

    select
        mrr_period_id,
        0 as step_number,
        subscription_item_ids,
        gross_list_mrrs as previous_mrrs,
        gross_list_mrrs as remaining_mrrs
    from steps
    where step_number = 1

    union all

    select
        mrr_period_id,
        step_number,
        subscription_item_ids,
        remaining_mrrs as previous_mrrs,
        {{ list_transform('remaining_mrrs', remaining_mrr, with_position=true) }} as remaining_mrrs

    from (
        select
            steps.mrr_period_id,
            steps.step_number,
            steps.subscription_item_ids,
            steps.is_spread,
            steps.percents_off,
            steps.amounts_off,
            stacked.remaining_mrrs,
            {{ list_transform(
                'stacked.remaining_mrrs',
                'case when steps.amounts_off[position] != 0 then element end',
                'sum', type='decimal(38, 12)', with_position=true
            ) }} as spread_over_mrr

        from stacked
        inner join steps
            on
                stacked.mrr_period_id = steps.mrr_period_id
                and stacked.step_number + 1 = steps.step_number
    ) as next_steps

),

positions as (

    select
        mrr_period_id,
        step_number,
        subscription_item_ids,
        previous_mrrs,
        remaining_mrrs,
        {{ explode(list_transform('remaining_mrrs', 'position', with_position=true)) }} as position
    from stacked

),

final as (

    select
        item_discounts.mrr_period_id,
        item_discounts.subscription_item_id,
        item_discounts.step_number,
        item_discounts.discount_id,
        item_discounts.coupon_id,
        item_discounts.promotion_code_id,
        item_discounts.percent_off is null
        and item_discounts.amount_off_mrr is null as is_amount_missing,
        positions.previous_mrrs[positions.position]
        - positions.remaining_mrrs[positions.position] as discount_mrr

    from item_discounts
    inner join positions
        on
            item_discounts.mrr_period_id = positions.mrr_period_id
            and item_discounts.step_number = positions.step_number
            and item_discounts.subscription_item_id
            = positions.subscription_item_ids[positions.position]
    where item_discounts.is_applied

)

select * from final
