with

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

versions as (

    select
        int_subscription_versions.*,
        int_subscription_versions.valid_from_at <= int_as_of.as_of_at as has_begun
    from int_subscription_versions
    cross join int_as_of

),

lives as (

    select
        subscription_id,
        arg_max(stripe_customer_id, version_number) as stripe_customer_id,
        arg_max(currency, version_number) as currency,
        arg_min(subscription_status, version_number) as first_status,
        arg_max(subscription_status, version_number) filter (where has_begun)
            as subscription_status,
        min(valid_from_at) as started_at,
        min(valid_from_at) filter (
            where subscription_status in ('canceled', 'incomplete_expired')
        ) as ended_at,
        min(valid_from_at) filter (where subscription_status = 'trialing') as trial_started_at,
        arg_max_null(valid_to_at, version_number) filter (where subscription_status = 'trialing')
            as trial_ended_at

    from versions
    group by subscription_id

),

-- Not the open rows: after a scheduled end or pause, those are of a time yet to come.
items_now as (

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

final as (

    select
        lives.subscription_id,
        lives.stripe_customer_id,
        int_customer_accounts.account_id,
        lives.currency,
        lives.first_status,
        lives.subscription_status,
        lives.started_at,
        lives.trial_started_at,
        lives.trial_ended_at,
        lives.ended_at,
        coalesce(items_now.counting_item_count, 0) as counting_item_count,
        cast(coalesce(items_now.list_mrr, 0) as decimal(28, 6)) as list_mrr,
        cast(coalesce(items_now.mrr, 0) as decimal(28, 6)) as mrr,
        coalesce(items_now.is_cancel_scheduled, false) as is_cancel_scheduled

    from lives
    left join int_customer_accounts
        on lives.stripe_customer_id = int_customer_accounts.stripe_customer_id
    left join items_now
        on lives.subscription_id = items_now.subscription_id

)

select * from final
