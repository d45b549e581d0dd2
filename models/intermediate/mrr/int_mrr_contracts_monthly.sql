with

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

int_prices_described as (

    select * from {{ ref('int_prices_described') }}

),

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

plan_catalog as (

    select * from {{ ref('plan_catalog') }}

),

priced as (

    select
        items.account_id,
        items.currency,
        items.subscription_id,
        items.subscription_status,
        items.quantity * plan_catalog.seats_per_unit as seat_count,
        plan_catalog.plan_tier_number,
        items.list_mrr,
        items.mrr,
        items.is_cancel_scheduled,
        items.valid_from_at,
        items.valid_to_at,
        coalesce(prices.recurring_interval_count, 1)
        * case prices.recurring_interval when 'year' then 12 else 1 end as term_months

    from int_subscription_item_mrr as items
    left join int_prices_described as prices
        on items.price_id = prices.price_id
    left join plan_catalog
        on prices.product_name = plan_catalog.product_name
    where items.mrr_exclusion_reason is null and items.mrr > 0

),

-- A term begins when the subscription first has a price of this length.
terms as (

    select
        account_id,
        currency,
        subscription_id,
        subscription_status,
        seat_count,
        plan_tier_number,
        list_mrr,
        mrr,
        is_cancel_scheduled,
        valid_from_at,
        valid_to_at,
        term_months,
        min(valid_from_at) over (
            partition by subscription_id, term_months
        ) as term_started_at

    from priced

),

measured as (

    select
        months.account_id,
        months.mrr_month,
        terms.subscription_id,
        terms.subscription_status,
        terms.seat_count,
        terms.plan_tier_number,
        terms.list_mrr * months.usd_per_unit as list_mrr_usd,
        terms.is_cancel_scheduled,
        versions.cancel_at,
        terms.term_months,
        {{ dbt.datediff('terms.term_started_at', 'months.measured_at', 'month') }}
            as months_since_start

    from int_mrr_account_currencies_monthly as months
    inner join terms
        on
            months.account_id = terms.account_id
            and months.currency = terms.currency
            and months.measured_at >= terms.valid_from_at
            and months.measured_at
            < coalesce(terms.valid_to_at, cast('9999-12-31' as timestamp))
    left join int_subscription_versions as versions
        on
            terms.subscription_id = versions.subscription_id
            and months.measured_at >= versions.valid_from_at
            and months.measured_at
            < coalesce(versions.valid_to_at, cast('9999-12-31' as timestamp))
    where months.is_month_closed

),

final as (

    select
        account_id,
        mrr_month,
        cast(count(distinct subscription_id) as integer) as subscription_count,
        cast(max(plan_tier_number) as integer) as plan_tier_number,
        cast(sum(seat_count) as integer) as paid_seat_count,
        cast(sum(list_mrr_usd) as decimal(28, 6)) as list_mrr_usd,
        cast(max(term_months) as integer) as term_months,
        cast(min(term_months - mod(months_since_start, term_months)) as integer)
            as months_to_renewal,
        bool_or(subscription_status = 'past_due') as is_past_due,
        bool_and(is_cancel_scheduled) as is_cancel_scheduled,
        -- The last part of the contract decides when all of it has ended.
        case when bool_and(is_cancel_scheduled) then max(cancel_at) end as cancel_at

    from measured
    group by
        account_id,
        mrr_month

)

select * from final
