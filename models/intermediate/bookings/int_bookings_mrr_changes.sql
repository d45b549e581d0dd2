with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

counting as (

    select
        int_subscription_item_mrr.subscription_id,
        int_subscription_item_mrr.account_id,
        int_subscription_item_mrr.stripe_customer_id,
        int_subscription_item_mrr.currency,
        int_subscription_item_mrr.valid_from_at,
        case
            when int_subscription_item_mrr.valid_to_at <= int_as_of.as_of_at
                then int_subscription_item_mrr.valid_to_at
        end as valid_to_at,
        int_subscription_item_mrr.mrr

    from int_subscription_item_mrr
    inner join int_as_of
        on int_subscription_item_mrr.valid_from_at <= int_as_of.as_of_at
    where int_subscription_item_mrr.mrr_exclusion_reason is null

),

subscriptions as (

    select
        subscription_id,
        max_by(account_id, concat(cast(valid_from_at as string), account_id)) as account_id,
        max_by(stripe_customer_id, concat(cast(valid_from_at as string), account_id)) filter (
            where stripe_customer_id is not null
        ) as stripe_customer_id

    from counting
    group by subscription_id

),

changes as (

    select
        subscription_id,
        currency,
        cast(valid_from_at as date) as changed_date,
        mrr as mrr_change
    from counting

    union all

    select
        subscription_id,
        currency,
        cast(valid_to_at as date) as changed_date,
        -mrr as mrr_change
    from counting
    where valid_to_at is not null

),

-- MRR that starts and ends within a day, or moves from one item to another, is not a change.
daily as (

    select
        subscription_id,
        currency,
        changed_date,
        sum(mrr_change) as mrr_change

    from changes
    group by
        subscription_id,
        currency,
        changed_date
    having sum(mrr_change) != 0

),

running as (

    select
        subscription_id,
        currency,
        changed_date,
        mrr_change,
        sum(mrr_change) over (
            partition by subscription_id, currency order by changed_date
        ) as mrr,
        row_number() over (
            partition by subscription_id order by changed_date, currency
        ) as change_number,
        lead(changed_date) over (
            partition by subscription_id, currency order by changed_date
        ) as next_changed_date

    from daily

),

final as (

    select
        running.subscription_id,
        subscriptions.account_id,
        subscriptions.stripe_customer_id,
        running.currency,
        running.changed_date,
        running.next_changed_date,
        cast(running.mrr_change as decimal(28, 6)) as mrr_change,
        cast(running.mrr as decimal(28, 6)) as mrr,
        running.change_number = 1 as is_start

    from running
    inner join subscriptions
        on running.subscription_id = subscriptions.subscription_id

)

select * from final
