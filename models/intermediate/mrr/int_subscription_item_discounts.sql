with recursive

int_subscription_item_mrr_periods as (

    select * from {{ ref('int_subscription_item_mrr_periods') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

counting_items as (

    select *
    from int_subscription_item_mrr_periods
    where mrr_exclusion_reason is null

),

segments as (

    select distinct
        mrr_period_id,
        version_id,
        valid_from_at
    from counting_items

),

-- `once` discounts one invoice and so never MRR.
live as (

    select
        segments.mrr_period_id,
        int_subscription_version_discounts.*

    from segments
    inner join int_subscription_version_discounts
        on segments.version_id = int_subscription_version_discounts.version_id
    where
        int_subscription_version_discounts.is_resolved
        and int_subscription_version_discounts.duration != 'once'
        and int_subscription_version_discounts.live_from_at <= segments.valid_from_at
        and (
            int_subscription_version_discounts.live_to_at is null
            or int_subscription_version_discounts.live_to_at > segments.valid_from_at
        )

),

-- The customer's discount stands in where the subscription and its items have none of their own.
applied as (

    select
        *,
        dense_rank() over (
            partition by mrr_period_id order by level_number, position_number
        ) as step_number

    from live
    qualify
        level_number < 3
        or min(level_number) over (partition by mrr_period_id) = 3

),

item_steps as (

    select
        counting_items.mrr_period_id,
        counting_items.subscription_item_id,
        applied.step_number,
        applied.discount_id,
        applied.coupon_id,
        applied.promotion_code_id,
        applied.percent_off,
        -- A fixed amount comes off each invoice, so it is worth a month what the price is.
        cast(
            case
                when applied.coupon_currency = counting_items.currency
                    then applied.amount_off_minor
                else cast(
                        json_extract_string(
                            applied.currency_options,
                            '$.' || lower(counting_items.currency) || '.amount_off'
                        ) as bigint
                    )
            end * counting_items.month_numerator
            / (
                counting_items.month_denominator
                * pow(10, counting_items.stripe_minor_unit_exponent)
            ) as decimal(38, 12)
        ) as amount_off_mrr

    from applied
    inner join counting_items
        on
            applied.mrr_period_id = counting_items.mrr_period_id
            and (
                applied.subscription_item_id is null
                or applied.subscription_item_id = counting_items.subscription_item_id
            )
    where
        json_array_length(applied.applies_to) is null
        or json_contains(applied.applies_to, to_json(counting_items.product_id))

),

step_counts as (

    select
        mrr_period_id,
        max(step_number) as step_count
    from applied
    group by mrr_period_id

),

-- Step by step, each discount from what the ones before it left; a fixed amount is spread over the
-- items it applies to by what is left of each.
stacked as (

    select
        counting_items.mrr_period_id,
        counting_items.subscription_item_id,
        0 as step_number,
        step_counts.step_count,
        counting_items.gross_list_mrr as remaining_mrr

    from counting_items
    inner join step_counts
        on counting_items.mrr_period_id = step_counts.mrr_period_id

    union all

    select
        stacked.mrr_period_id,
        stacked.subscription_item_id,
        stacked.step_number + 1 as step_number,
        stacked.step_count,
        case
            when item_steps.discount_id is null or stacked.remaining_mrr = 0
                then stacked.remaining_mrr
            when item_steps.percent_off is not null
                then cast(
                        stacked.remaining_mrr * (100 - item_steps.percent_off) / 100
                        as decimal(38, 12)
                    )
            else cast(
                    greatest(
                        stacked.remaining_mrr - coalesce(item_steps.amount_off_mrr, 0) * (
                            stacked.remaining_mrr / sum(stacked.remaining_mrr) over (
                                partition by stacked.mrr_period_id, item_steps.discount_id
                            )
                        ),
                        0
                    ) as decimal(38, 12)
                )
        end as remaining_mrr

    from stacked
    left join item_steps
        on
            stacked.mrr_period_id = item_steps.mrr_period_id
            and stacked.subscription_item_id = item_steps.subscription_item_id
            and stacked.step_number + 1 = item_steps.step_number
    where stacked.step_number < stacked.step_count

),

parts as (

    select
        *,
        lag(remaining_mrr) over (
            partition by mrr_period_id, subscription_item_id order by step_number
        ) - remaining_mrr as discount_mrr
    from stacked

),

final as (

    select
        parts.mrr_period_id,
        parts.subscription_item_id,
        parts.step_number,
        item_steps.discount_id,
        item_steps.coupon_id,
        item_steps.promotion_code_id,
        item_steps.percent_off is null
        and item_steps.amount_off_mrr is null as is_amount_missing,
        parts.discount_mrr

    from parts
    inner join item_steps
        on
            parts.mrr_period_id = item_steps.mrr_period_id
            and parts.subscription_item_id = item_steps.subscription_item_id
            and parts.step_number = item_steps.step_number

)

select * from final
