with

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

subscriptions_with_events as (

    select distinct subscription_id
    from int_subscription_source_records
    where record_source = 'event'

),

-- Beside events, an extract counts only if it shows a state that no event shows, and only once no
-- webhook of its own day may still arrive. An end counts from any source.
extracts_beyond_events as (

    select
        extracts.subscription_id,
        extracts.record_number
    from int_subscription_source_records as extracts
    inner join int_subscription_source_records as events
        on extracts.subscription_id = events.subscription_id
    where
        events.record_source = 'event'
        and extracts.record_source in ('first_extract', 'later_extract')
    group by
        extracts.subscription_id,
        extracts.record_number
    having
        bool_and(extracts.state_digest != events.state_digest)
        and (
            bool_or(extracts.is_ended)
            or max(events.observed_at) filter (
                where events.observed_at <= extracts.observed_at
            ) < date_trunc('day', max(extracts.observed_at))
        )

),

used_records as (

    select
        records.subscription_id,
        records.record_source,
        records.event_type,
        records.observed_at,
        records.record_number,
        records.stripe_customer_id,
        records.subscription_status,
        records.started_at,
        records.trial_start_at,
        records.trial_end_at,
        records.ended_at,
        records.is_ended,
        subscriptions_with_events.subscription_id is not null as has_events,
        lag(records.observed_at) over (
            partition by records.subscription_id order by records.record_number
        ) as previous_observed_at

    from int_subscription_source_records as records
    left join subscriptions_with_events
        on records.subscription_id = subscriptions_with_events.subscription_id
    left join extracts_beyond_events
        on
            records.subscription_id = extracts_beyond_events.subscription_id
            and records.record_number = extracts_beyond_events.record_number
    where
        subscriptions_with_events.subscription_id is null
        or records.record_source in ('event', 'before_first_event')
        or extracts_beyond_events.subscription_id is not null

),

-- A record about the time before it: the object's own dates give the start and the trial.
records_of_the_past as (

    select
        subscription_id,
        record_number,
        observed_at,
        started_at,
        greatest(trial_start_at, started_at) as trial_start_at,
        trial_end_at,
        case subscription_status
            when 'canceled' then 'active'
            when 'incomplete_expired' then 'incomplete'
            else subscription_status
        end as subscription_status

    from used_records
    where
        record_source in ('before_first_event', 'invoice')
        or (record_source = 'first_extract' and not has_events)

),

states as (

    select
        subscription_id,
        record_number,
        1 as part_number,
        subscription_status,
        started_at as effective_from_at
    from records_of_the_past
    where started_at <= observed_at

    union all

    select
        subscription_id,
        record_number,
        2 as part_number,
        'trialing' as subscription_status,
        trial_start_at as effective_from_at
    from records_of_the_past
    where
        trial_end_at is not null
        and subscription_status != 'trialing'
        and trial_start_at <= observed_at

    union all

    select
        subscription_id,
        record_number,
        3 as part_number,
        subscription_status,
        trial_end_at as effective_from_at
    from records_of_the_past
    where
        subscription_status != 'trialing'
        and trial_end_at <= observed_at

    union all

    select
        subscription_id,
        record_number,
        9 as part_number,
        subscription_status,
        case
            when event_type = 'customer.subscription.created' then least(observed_at, started_at)
            when
                record_source = 'later_extract'
                and not has_events
                and subscription_status != 'trialing'
                and trial_end_at > previous_observed_at
                and trial_end_at <= observed_at
                then trial_end_at
            else observed_at
        end as effective_from_at
    from used_records
    where
        is_ended is not true
        and record_source not in ('before_first_event', 'invoice')

),

ends as (

    select
        records.subscription_id,
        least(
            min(coalesce(records.ended_at, records.observed_at)) filter (where records.is_ended),
            min(int_stripe_customers_known.deleted_at)
        ) as ended_at,
        coalesce(max(records.subscription_status) filter (where records.is_ended), 'canceled')
            as end_status,
        max(records.record_number) as last_record_number

    from used_records as records
    left join int_stripe_customers_known
        on records.stripe_customer_id = int_stripe_customers_known.stripe_customer_id
    group by records.subscription_id

),

final as (

    select
        states.subscription_id,
        states.record_number,
        states.part_number,
        states.subscription_status,
        states.effective_from_at

    from states
    inner join ends
        on states.subscription_id = ends.subscription_id
    where
        ends.ended_at is null
        or states.effective_from_at < ends.ended_at

    union all

    select
        subscription_id,
        last_record_number as record_number,
        10 as part_number,
        end_status as subscription_status,
        ended_at as effective_from_at
    from ends
    where ended_at is not null

)

select * from final
