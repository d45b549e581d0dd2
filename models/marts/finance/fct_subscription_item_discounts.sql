{%- set item_interval -%}
(
    partition by
        int_subscription_item_mrr.subscription_item_id, int_subscription_item_mrr.valid_from_at
)
{%- endset -%}

with

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_subscription_item_discounts as (

    select * from {{ ref('int_subscription_item_discounts') }}

),

parts as (

    select
        int_subscription_item_mrr.subscription_item_id,
        int_subscription_item_mrr.valid_from_at,
        int_subscription_item_mrr.valid_to_at,
        int_subscription_item_mrr.account_id,
        int_subscription_item_mrr.currency,
        int_subscription_item_mrr.discount_mrr as all_discounts_mrr,
        int_subscription_item_discounts.step_number,
        int_subscription_item_discounts.discount_id,
        int_subscription_item_discounts.coupon_id,
        int_subscription_item_discounts.promotion_code_id,
        -- If the price includes tax, a part's share of the total gives its amount without tax.
        case
            when int_subscription_item_discounts.discount_mrr = 0 then 0
            else cast(
                    int_subscription_item_mrr.discount_mrr
                    * {{ ratio(
                        'int_subscription_item_discounts.discount_mrr',
                        'sum(int_subscription_item_discounts.discount_mrr) over ' ~ item_interval
                    ) }} as decimal(28, 6)
                )
        end as discount_mrr

    from int_subscription_item_mrr
    inner join int_subscription_item_discounts
        on
            int_subscription_item_mrr.first_mrr_period_id
            = int_subscription_item_discounts.mrr_period_id
            and int_subscription_item_mrr.subscription_item_id
            = int_subscription_item_discounts.subscription_item_id

),

-- Rounded parts may not add up to the rounded whole, so the largest part takes the difference.
ranked as (

    select
        subscription_item_id,
        valid_from_at,
        valid_to_at,
        account_id,
        currency,
        step_number,
        discount_id,
        coupon_id,
        promotion_code_id,
        discount_mrr,
        all_discounts_mrr - sum(discount_mrr) over (
            partition by subscription_item_id, valid_from_at
        ) as missing_mrr,
        row_number() over (
            partition by subscription_item_id, valid_from_at
            order by discount_mrr desc, step_number asc
        ) as rank_number
    from parts

),

final as (

    select
        subscription_item_id,
        valid_from_at,
        valid_to_at,
        account_id,
        cast(step_number as integer) as step_number,
        discount_id,
        coupon_id,
        promotion_code_id,
        currency,
        cast(
            case when rank_number = 1 then discount_mrr + missing_mrr else discount_mrr end
            as decimal(28, 6)
        ) as discount_mrr

    from ranked

)

select * from final
