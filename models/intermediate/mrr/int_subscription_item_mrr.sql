with

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_subscription_item_discounts as (

    select * from {{ ref('int_subscription_item_discounts') }}

),

int_subscription_item_mrr_periods as (

    select * from {{ ref('int_subscription_item_mrr_periods') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

discounts as (

    select
        mrr_period_id,
        subscription_item_id,
        sum(discount_mrr) as discount_mrr,
        bool_or(is_amount_missing) as is_amount_missing,
        string_agg(
            discount_id || ' ' || cast(discount_mrr as string), ', ' order by step_number
        ) as discounts
    from int_subscription_item_discounts
    group by
        mrr_period_id,
        subscription_item_id

),

versions_with_unresolved_discounts as (

    select distinct version_id
    from int_subscription_version_discounts
    where not is_resolved

),

priced as (

    select
        int_subscription_item_mrr_periods.*,
        (
            versions_with_unresolved_discounts.version_id is not null
            or coalesce(discounts.is_amount_missing, false)
        )
        and int_subscription_item_mrr_periods.mrr_exclusion_reason is null
            as has_unresolved_discount,
        discounts.discounts,
        int_customer_accounts.account_id,
        case
            when int_subscription_item_mrr_periods.mrr_exclusion_reason is null
                then cast(
                        int_subscription_item_mrr_periods.gross_list_mrr
                        * int_subscription_item_mrr_periods.net_of_tax_factor as decimal(28, 6)
                    )
            else 0
        end as list_mrr,
        case
            when int_subscription_item_mrr_periods.mrr_exclusion_reason is null
                then cast(
                        (
                            int_subscription_item_mrr_periods.gross_list_mrr
                            - coalesce(discounts.discount_mrr, 0)
                        ) * int_subscription_item_mrr_periods.net_of_tax_factor as decimal(28, 6)
                    )
            else 0
        end as mrr

    from int_subscription_item_mrr_periods
    left join discounts
        on
            int_subscription_item_mrr_periods.mrr_period_id = discounts.mrr_period_id
            and int_subscription_item_mrr_periods.subscription_item_id
            = discounts.subscription_item_id
    left join versions_with_unresolved_discounts
        on
            int_subscription_item_mrr_periods.version_id
            = versions_with_unresolved_discounts.version_id
    left join int_customer_accounts
        on
            int_subscription_item_mrr_periods.stripe_customer_id
            = int_customer_accounts.stripe_customer_id

),

digested as (

    select
        *,
        concat_ws(
            '|',
            stripe_customer_id,
            coalesce(price_id, ''),
            currency,
            coalesce(cast(quantity as string), ''),
            subscription_status,
            list_mrr,
            mrr,
            coalesce(discounts, ''),
            coalesce(mrr_exclusion_reason, ''),
            is_cancel_scheduled,
            has_unresolved_discount,
            is_tax_rate_missing
        ) as state_digest

    from priced

),

-- Many versions change nothing that is shown here; neighbours that are equal are one interval.
marked as (

    select
        *,
        state_digest != lag(state_digest, 1, '') over (
            partition by subscription_item_id order by valid_from_at
        ) as is_change

    from digested

),

numbered as (

    select
        *,
        sum(cast(is_change as integer)) over (
            partition by subscription_item_id order by valid_from_at
        ) as interval_number

    from marked

),

final as (

    select
        subscription_item_id,
        subscription_id,
        stripe_customer_id,
        account_id,
        price_id,
        product_id,
        currency,
        quantity,
        subscription_status,
        min_by(mrr_period_id, valid_from_at) as first_mrr_period_id,
        min(valid_from_at) as valid_from_at,
        case when count(*) = count(valid_to_at) then max(valid_to_at) end as valid_to_at,
        cast(list_mrr as decimal(28, 6)) as list_mrr,
        cast(mrr as decimal(28, 6)) as mrr,
        cast(list_mrr - mrr as decimal(28, 6)) as discount_mrr,
        mrr_exclusion_reason,
        is_cancel_scheduled,
        has_unresolved_discount,
        is_tax_rate_missing,
        count(*) != count(valid_to_at) as is_current

    from numbered
    group by
        subscription_item_id,
        subscription_id,
        stripe_customer_id,
        account_id,
        price_id,
        product_id,
        currency,
        quantity,
        subscription_status,
        list_mrr,
        mrr,
        mrr_exclusion_reason,
        is_cancel_scheduled,
        has_unresolved_discount,
        is_tax_rate_missing,
        interval_number

)

select * from final
