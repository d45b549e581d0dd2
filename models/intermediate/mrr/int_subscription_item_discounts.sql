with recursive

int_subscription_item_mrr_periods as (

    select * from {{ ref('int_subscription_item_mrr_periods') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

counting_items as (

    select
        mrr_period_id,
        version_id,
        subscription_item_id,
        valid_from_at,
        currency,
        product_id,
        stripe_minor_unit_exponent,
        month_numerator,
        month_denominator,
        gross_list_mrr

    from int_subscription_item_mrr_periods
    where mrr_exclusion_reason is null

),

mrr_periods as (

    select distinct
        mrr_period_id,
        version_id,
        valid_from_at
    from counting_items

),

-- `once` lowers one invoice and never MRR. A customer's discount applies only where the
-- subscription and its items have none of their own.
applied as (

    select
        mrr_periods.mrr_period_id,
        discounts.subscription_item_id,
        discounts.discount_id,
        discounts.coupon_id,
        discounts.promotion_code_id,
        discounts.percent_off,
        discounts.amount_off_minor,
        discounts.coupon_currency,
        discounts.currency_options,
        discounts.applies_to,
        dense_rank() over (
            partition by mrr_periods.mrr_period_id
            order by discounts.level_number, discounts.position_number
        ) as step_number

    from mrr_periods
    inner join int_subscription_version_discounts as discounts
        on mrr_periods.version_id = discounts.version_id
    where
        discounts.is_resolved
        and discounts.duration != 'once'
        and discounts.live_from_at <= mrr_periods.valid_from_at
        and coalesce(discounts.live_to_at > mrr_periods.valid_from_at, true)
    qualify
        discounts.level_number < 3
        or min(discounts.level_number) over (partition by mrr_periods.mrr_period_id) = 3

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
        -- A fixed amount comes off each invoice, so the price's interval makes it monthly.
        cast(
            {{ ratio(
                "case
                    when applied.coupon_currency = counting_items.currency
                        then applied.amount_off_minor
                    else cast(
                            json_extract_string(
                                applied.currency_options,
                                '$.' || lower(counting_items.currency) || '.amount_off'
                            ) as bigint
                        )
                end * counting_items.month_numerator",
                'counting_items.month_denominator
                * pow(10, counting_items.stripe_minor_unit_exponent)'
            ) }} as decimal(38, 12)
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

-- Each discount applies to what the discounts before it left. A fixed amount is spread over the
-- items it applies to, in proportion to what is left of each.
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
                        {{ ratio(
                            'stacked.remaining_mrr * (100 - item_steps.percent_off)', '100'
                        ) }} as decimal(38, 12)
                    )
            else cast(
                    greatest(
                        stacked.remaining_mrr - coalesce(item_steps.amount_off_mrr, 0)
                        * {{ ratio(
                            'stacked.remaining_mrr',
                            'sum(stacked.remaining_mrr) over (
                                partition by stacked.mrr_period_id, item_steps.discount_id
                            )'
                        ) }},
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
        mrr_period_id,
        subscription_item_id,
        step_number,
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
