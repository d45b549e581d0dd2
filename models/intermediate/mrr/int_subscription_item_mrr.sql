{%- set item_changes = '(partition by priced.subscription_item_id'
    ~ ' order by priced.valid_from_at)' -%}

with

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_subscription_item_discounts as (

    select * from {{ ref('int_subscription_item_discounts') }}

),

int_subscription_item_discounts_judged as (

    select * from {{ ref('int_subscription_item_discounts_judged') }}

),

int_subscription_item_mrr_periods as (

    select * from {{ ref('int_subscription_item_mrr_periods') }}

),

discounts as (

    select
        mrr_period_id,
        subscription_item_id,
        sum(discount_mrr) as discount_mrr,
        bool_or(is_amount_missing) as is_amount_missing,
        {{ dbt.listagg(
            "discount_id || ' ' || cast(discount_mrr as string)", "', '", 'order by step_number'
        ) }} as discounts
    from int_subscription_item_discounts
    group by
        mrr_period_id,
        subscription_item_id

),

priced as (

    select
        periods.mrr_period_id,
        periods.subscription_item_id,
        periods.subscription_id,
        periods.stripe_customer_id,
        int_customer_accounts.account_id,
        periods.price_id,
        periods.product_id,
        periods.currency,
        periods.quantity,
        periods.subscription_status,
        periods.valid_from_at,
        case
            when periods.mrr_exclusion_reason is null
                then cast(periods.gross_list_mrr * periods.net_of_tax_factor as decimal(28, 6))
            else 0
        end as list_mrr,
        case
            when periods.mrr_exclusion_reason is null
                then cast(
                        (periods.gross_list_mrr - coalesce(discounts.discount_mrr, 0))
                        * periods.net_of_tax_factor as decimal(28, 6)
                    )
            else 0
        end as mrr,
        discounts.discounts,
        periods.mrr_exclusion_reason,
        periods.is_cancel_scheduled,
        periods.mrr_exclusion_reason is null
        and (
            coalesce(judged.is_unresolved, false)
            or coalesce(discounts.is_amount_missing, false)
        ) as has_unresolved_discount,
        periods.is_tax_rate_missing,
        case
            when judged.is_from_invoice then 'invoice'
            else periods.mrr_evidence
        end as mrr_evidence

    from int_subscription_item_mrr_periods as periods
    left join discounts
        on
            periods.mrr_period_id = discounts.mrr_period_id
            and periods.subscription_item_id = discounts.subscription_item_id
    left join int_subscription_item_discounts_judged as judged
        on
            periods.mrr_period_id = judged.mrr_period_id
            and periods.subscription_item_id = judged.subscription_item_id
    left join int_customer_accounts
        on periods.stripe_customer_id = int_customer_accounts.stripe_customer_id

),

digests as (

    select
        mrr_period_id,
        subscription_item_id,
        valid_from_at,
        concat_ws(
            '|',
            stripe_customer_id,
            coalesce(price_id, ''),
            coalesce(product_id, ''),
            currency,
            coalesce(cast(quantity as string), ''),
            subscription_status,
            cast(list_mrr as string),
            cast(mrr as string),
            coalesce(discounts, ''),
            coalesce(mrr_exclusion_reason, ''),
            cast(is_cancel_scheduled as string),
            cast(has_unresolved_discount as string),
            cast(is_tax_rate_missing as string),
            mrr_evidence
        ) as state_digest

    from priced

),

-- Many periods change nothing that these rows show. A period equal to the one before continues it.
changes as (

    select
        mrr_period_id,
        subscription_item_id
    from digests
    qualify
        state_digest != lag(state_digest, 1, '') over (
            partition by subscription_item_id order by valid_from_at
        )

),

final as (

    select
        priced.subscription_item_id,
        priced.subscription_id,
        priced.stripe_customer_id,
        priced.account_id,
        priced.price_id,
        priced.product_id,
        priced.currency,
        priced.quantity,
        priced.subscription_status,
        priced.mrr_period_id as first_mrr_period_id,
        priced.valid_from_at,
        lead(priced.valid_from_at) over {{ item_changes }} as valid_to_at,
        cast(priced.list_mrr as decimal(28, 6)) as list_mrr,
        cast(priced.mrr as decimal(28, 6)) as mrr,
        cast(priced.list_mrr - priced.mrr as decimal(28, 6)) as discount_mrr,
        priced.mrr_exclusion_reason,
        priced.is_cancel_scheduled,
        priced.has_unresolved_discount,
        priced.is_tax_rate_missing,
        priced.mrr_evidence,
        lead(priced.valid_from_at) over {{ item_changes }} is null as is_current

    from priced
    inner join changes
        on
            priced.mrr_period_id = changes.mrr_period_id
            and priced.subscription_item_id = changes.subscription_item_id

)

select * from final
