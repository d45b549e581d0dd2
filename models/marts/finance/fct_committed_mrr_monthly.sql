{%- set measured_at -%}
cast({{ dbt.dateadd('month', 1, 'months.mrr_month') }} as timestamp) - interval 1 microsecond
{%- endset -%}
{%- set far_end = "cast('9999-12-31' as timestamp)" -%}
{%- set rate_month = month_start('int_as_of.as_of_at') -%}

with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_price_quantities_listed as (

    select * from {{ ref('int_price_quantities_listed') }}

),

int_schedule_phase_items as (

    select * from {{ ref('int_schedule_phase_items') }}

),

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

months as (

    select
        {{ explode(date_series(
            month_start('as_of_at'),
            'cast(' ~ dbt.dateadd('month', 24, month_start('as_of_at')) ~ ' as date)',
            'month'
        )) }} as mrr_month
    from int_as_of

),

-- From its first future phase on, a schedule replaces the items of its subscription.
schedules as (

    select
        subscription_id,
        min(starts_at) filter (where is_future) as replaced_from_at,
        max_by(coalesce(ends_at, {{ far_end }}), phase_number) as ends_at
    from int_schedule_phase_items
    where subscription_id is not null
    group by subscription_id

),

counting as (

    select
        months.mrr_month,
        items.account_id,
        items.currency,
        items.mrr

    from months
    inner join int_subscription_item_mrr as items
        on
            {{ measured_at }} >= items.valid_from_at
            and {{ measured_at }} < coalesce(items.valid_to_at, {{ far_end }})
    left join schedules
        on items.subscription_id = schedules.subscription_id
    where
        items.mrr_exclusion_reason is null
        and coalesce({{ measured_at }} < schedules.replaced_from_at, true)
        and coalesce({{ measured_at }} < schedules.ends_at, true)

),

-- A phase that has discounts, or does not say, is expected to have those of its subscription now.
paid_shares as (

    select
        items.subscription_id,
        items.account_id,
        {{ ratio('sum(items.mrr)', 'sum(items.list_mrr)') }} as paid_share

    from int_subscription_item_mrr as items
    inner join int_as_of
        on
            items.valid_from_at <= int_as_of.as_of_at
            and coalesce(items.valid_to_at > int_as_of.as_of_at, true)
    where items.mrr_exclusion_reason is null
    group by
        items.subscription_id,
        items.account_id

),

scheduled as (

    select
        months.mrr_month,
        int_customer_accounts.account_id,
        prices.currency,
        cast(
            prices.gross_list_mrr
            * case
                when phase_items.may_have_discounts then coalesce(paid_shares.paid_share, 1)
                else 1
            end as decimal(28, 6)
        ) as mrr

    from months
    inner join int_schedule_phase_items as phase_items
        on
            {{ measured_at }} >= phase_items.starts_at
            and {{ measured_at }} < coalesce(phase_items.ends_at, {{ far_end }})
    inner join int_customer_accounts
        on phase_items.stripe_customer_id = int_customer_accounts.stripe_customer_id
    inner join int_price_quantities_listed as prices
        on
            phase_items.price_id = prices.price_id
            and coalesce(phase_items.currency, '') = coalesce(prices.subscription_currency, '')
            and coalesce(phase_items.quantity, -1) = coalesce(prices.quantity, -1)
    left join paid_shares
        on phase_items.subscription_id = paid_shares.subscription_id
    where
        phase_items.is_future
        and prices.price_exclusion_reason is null
        and coalesce({{ measured_at }} >= phase_items.trial_end_at, true)

),

committed as (

    select
        mrr_month,
        account_id,
        currency,
        mrr,
        false as is_scheduled
    from counting

    union all

    select
        mrr_month,
        account_id,
        currency,
        mrr,
        true as is_scheduled
    from scheduled

),

committed_usd as (

    select
        committed.mrr_month,
        committed.account_id,
        committed.is_scheduled,
        committed.mrr * {{ required_rate(
            'rates.usd_per_unit', 'committed.currency', rate_month, 'committed.mrr != 0'
        ) }} as mrr_usd

    from committed
    cross join int_as_of
    left join int_usd_rates_monthly as rates
        on
            committed.currency = rates.currency
            and {{ rate_month }} = rates.rate_month

),

-- An account that has MRR now, or will have, has all months, so that what ends is a row with 0.
accounts as (

    select account_id from committed
    union distinct
    select account_id from paid_shares

),

final as (

    select
        accounts.account_id,
        months.mrr_month,
        cast(coalesce(sum(committed_usd.mrr_usd), 0) as decimal(28, 6)) as committed_mrr_usd,
        cast(
            coalesce(sum(committed_usd.mrr_usd) filter (where committed_usd.is_scheduled), 0)
            as decimal(28, 6)
        ) as scheduled_mrr_usd

    from accounts
    cross join months
    left join committed_usd
        on
            accounts.account_id = committed_usd.account_id
            and months.mrr_month = committed_usd.mrr_month
    group by
        accounts.account_id,
        months.mrr_month

)

select * from final
