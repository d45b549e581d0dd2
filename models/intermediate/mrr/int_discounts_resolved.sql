{%- set terms = [
    'percent_off', 'amount_off_minor', 'currency', 'currency_options', 'duration',
    'duration_in_months', 'product_ids',
] -%}

with

stg_stripe__catalog_events as (

    select * from {{ ref('stg_stripe__catalog_events') }}

),

stg_stripe__coupons as (

    select * from {{ ref('stg_stripe__coupons') }}

),

stg_stripe__customer_extracts as (

    select * from {{ ref('stg_stripe__customer_extracts') }}

),

stg_stripe__discount_events as (

    select * from {{ ref('stg_stripe__discount_events') }}

),

int_discount_source_records as (

    select * from {{ ref('int_discount_source_records') }}

),

latest_records as (

    select
        discount_id,
        coupon_id,
        start_at,
        end_at,
        stripe_customer_id,
        subscription_id,
        subscription_item_id,
        promotion_code_id,
        case
            when subscription_item_id is not null then 'item'
            when subscription_id is not null then 'subscription'
            when invoice_id is not null then 'invoice'
            else 'customer'
        end as discount_level
    from int_discount_source_records
    qualify
        row_number() over (
            partition by discount_id
            order by
                coupon_id is null asc,
                observed_at desc,
                coupon_id desc nulls last,
                end_at asc nulls last,
                start_at asc nulls last,
                promotion_code_id asc nulls last
        ) = 1

),

coupon_copies as (

    select
        coupon_id,
        {{ terms | join(',\n        ') }},
        1 as preference_number
    from stg_stripe__coupons
    where not is_deleted

    union all

    select
        coupon_id,
        percent_off,
        amount_off_minor,
        coupon_currency as currency,
        currency_options,
        duration,
        duration_in_months,
        product_ids,
        2 as preference_number
    from int_discount_source_records

    union all

    select
        coupon.coupon_id,
        coupon.{{ terms | join(',\n        coupon.') }},
        2 as preference_number
    from stg_stripe__catalog_events

),

coupons as (

    select
        coupon_id,
        {{ terms | join(',\n        ') }}
    from coupon_copies
    where duration is not null
    qualify
        row_number() over (
            partition by coupon_id
            order by product_ids is null, preference_number, currency_options nulls last
        ) = 1

),

removals as (

    select
        discount.discount_id,
        min(occurred_at) as removed_at
    from stg_stripe__discount_events
    where event_type = 'customer.discount.deleted'
    group by discount.discount_id

),

-- Without events, a discount ends with the first extract of its customer that no longer has it.
customer_extract_discounts as (

    select
        stripe_customer_id,
        extracted_at,
        discount.discount_id,
        lag(discount.discount_id) over (
            partition by stripe_customer_id order by extracted_at
        ) as previous_discount_id
    from stg_stripe__customer_extracts
    where not (is_deleted or is_test_mode)

),

disappearances as (

    select
        previous_discount_id as discount_id,
        min(extracted_at) as disappeared_at
    from customer_extract_discounts
    where
        previous_discount_id is not null
        and previous_discount_id is distinct from discount_id
    group by previous_discount_id

),

final as (

    select
        latest_records.discount_id,
        latest_records.discount_level,
        latest_records.stripe_customer_id,
        latest_records.subscription_id,
        latest_records.subscription_item_id,
        latest_records.promotion_code_id,
        latest_records.coupon_id,
        coupons.percent_off,
        coupons.amount_off_minor,
        coupons.currency as coupon_currency,
        coupons.currency_options,
        coupons.duration,
        coupons.product_ids,
        latest_records.start_at as live_from_at,
        least(
            coalesce(
                latest_records.end_at,
                case
                    when coupons.duration = 'repeating' then {{ dbt.dateadd(
                        'month', 'coupons.duration_in_months', 'latest_records.start_at'
                    ) }}
                end
            ),
            removals.removed_at,
            disappearances.disappeared_at,
            case
                when latest_records.discount_level = 'customer'
                    then lead(latest_records.start_at) over (
                            partition by
                                latest_records.stripe_customer_id, latest_records.discount_level
                            order by
                                latest_records.start_at nulls last, latest_records.discount_id
                        )
            end
        ) as live_to_at,
        -- Without any date, it is unknown whether some months are over.
        coupons.duration is not null
        and (
            coupons.duration != 'repeating'
            or coalesce(latest_records.end_at, latest_records.start_at) is not null
        ) as is_resolved

    from latest_records
    left join coupons
        on latest_records.coupon_id = coupons.coupon_id
    left join removals
        on latest_records.discount_id = removals.discount_id
    left join disappearances
        on latest_records.discount_id = disappearances.discount_id

)

select * from final
