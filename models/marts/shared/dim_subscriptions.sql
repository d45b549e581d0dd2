with

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

stg_stripe__subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

versions as (

    select
        int_subscription_versions.subscription_id,
        int_subscription_versions.stripe_customer_id,
        int_subscription_versions.currency,
        int_subscription_versions.subscription_status,
        int_subscription_versions.cancel_at,
        int_subscription_versions.version_number,
        int_subscription_versions.valid_from_at,
        int_subscription_versions.valid_to_at,
        int_subscription_versions.valid_from_at <= int_as_of.as_of_at as has_begun,
        row_number() over (
            partition by
                int_subscription_versions.subscription_id,
                int_subscription_versions.valid_from_at <= int_as_of.as_of_at
            order by int_subscription_versions.version_number desc
        ) = 1 as is_last_of_side,
        row_number() over (
            partition by
                int_subscription_versions.subscription_id,
                int_subscription_versions.subscription_status
            order by int_subscription_versions.version_number desc
        ) = 1 as is_last_of_status

    from int_subscription_versions
    cross join int_as_of

),

subscriptions as (

    select
        subscription_id,
        max_by(stripe_customer_id, version_number) filter (
            where stripe_customer_id is not null
        ) as stripe_customer_id,
        max_by(currency, version_number) filter (where currency is not null) as currency,
        min_by(subscription_status, version_number) filter (
            where subscription_status is not null
        ) as first_status,
        max_by(subscription_status, version_number) filter (
            where
            has_begun
            and subscription_status is not null
        ) as subscription_status,
        max(cancel_at) filter (where has_begun and is_last_of_side) as cancel_at,
        min(valid_from_at) as started_at,
        min(valid_from_at) filter (
            where subscription_status in ('canceled', 'incomplete_expired')
        ) as ended_at,
        min(valid_from_at) filter (where subscription_status = 'trialing') as trial_started_at,
        max(valid_to_at) filter (
            where
            subscription_status = 'trialing'
            and is_last_of_status
        ) as trial_ended_at

    from versions
    group by subscription_id

),

-- Selects the interval that holds the as-of date. The open one may lie in the future, after a
-- scheduled end or pause.
current_items as (

    select
        int_subscription_item_mrr.subscription_id,
        count(*) filter (where int_subscription_item_mrr.mrr_exclusion_reason is null)
            as counting_item_count,
        sum(int_subscription_item_mrr.list_mrr) as list_mrr,
        sum(int_subscription_item_mrr.mrr) as mrr,
        bool_or(int_subscription_item_mrr.is_cancel_scheduled) as is_cancel_scheduled

    from int_subscription_item_mrr
    inner join int_as_of
        on
            int_subscription_item_mrr.valid_from_at <= int_as_of.as_of_at
            and (
                int_subscription_item_mrr.valid_to_at is null
                or int_subscription_item_mrr.valid_to_at > int_as_of.as_of_at
            )
    group by int_subscription_item_mrr.subscription_id

),

billed as (

    select
        subscription_id,
        count(*) as invoice_count,
        sum(total_usd) as billed_usd,
        sum(paid_usd) as paid_usd,
        sum(remaining_usd) as remaining_usd

    from fct_invoices
    where is_revenue
    group by subscription_id

),

final as (

    select
        subscriptions.subscription_id,
        subscriptions.stripe_customer_id,
        int_customer_accounts.account_id,
        cast(
            row_number() over (
                partition by subscriptions.stripe_customer_id
                order by subscriptions.started_at, subscriptions.subscription_id
            ) as integer
        ) as subscription_number,
        subscriptions.currency,
        subscriptions.first_status,
        subscriptions.subscription_status,
        subscriptions.started_at,
        subscriptions.trial_started_at,
        subscriptions.trial_ended_at,
        subscriptions.ended_at,
        stg_stripe__subscriptions.current_period_start_at,
        stg_stripe__subscriptions.current_period_end_at,
        stg_stripe__subscriptions.collection_method,
        subscriptions.cancel_at,
        stg_stripe__subscriptions.canceled_at,
        stg_stripe__subscriptions.cancellation_reason,
        stg_stripe__subscriptions.cancellation_feedback,
        cast(coalesce(billed.invoice_count, 0) as integer) as invoice_count,
        cast(coalesce(billed.billed_usd, 0) as decimal(28, 6)) as billed_usd,
        cast(coalesce(billed.paid_usd, 0) as decimal(28, 6)) as paid_usd,
        cast(coalesce(billed.remaining_usd, 0) as decimal(28, 6)) as remaining_usd,
        cast({{ ratio('billed.billed_usd', 'billed.invoice_count') }} as decimal(28, 6))
            as average_invoice_usd,
        coalesce(current_items.counting_item_count, 0) as counting_item_count,
        cast(coalesce(current_items.list_mrr, 0) as decimal(28, 6)) as list_mrr,
        cast(coalesce(current_items.mrr, 0) as decimal(28, 6)) as mrr,
        coalesce(current_items.is_cancel_scheduled, false) as is_cancel_scheduled

    from subscriptions
    left join int_customer_accounts
        on subscriptions.stripe_customer_id = int_customer_accounts.stripe_customer_id
    left join stg_stripe__subscriptions
        on subscriptions.subscription_id = stg_stripe__subscriptions.subscription_id
    left join billed
        on subscriptions.subscription_id = billed.subscription_id
    left join current_items
        on subscriptions.subscription_id = current_items.subscription_id

)

select * from final
