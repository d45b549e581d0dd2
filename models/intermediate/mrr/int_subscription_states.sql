with

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

int_stripe_customers_known as (

    select * from {{ ref('int_stripe_customers_known') }}

),

statements as (

    select
        *,
        bool_or(record_source = 'event') over (partition by subscription_id) as has_archive
    from int_subscription_source_records

),

-- Where there is an archive, an extract adds only what no webhook told: a state that the archive
-- never had, extracted on a day after the archive's last word before it. An end is always believed.
extracts_beyond_the_archive as (

    select
        extracts.subscription_id,
        extracts.record_number
    from statements as extracts
    inner join statements as events
        on extracts.subscription_id = events.subscription_id
    where
        events.record_source = 'event'
        and extracts.record_source in ('first_extract', 'later_extract')
    group by all
    having
        bool_and(extracts.state_digest != events.state_digest)
        and (
            bool_or(extracts.is_ended)
            or max(events.observed_at) filter (
                where events.observed_at <= extracts.observed_at
            ) < date_trunc('day', max(extracts.observed_at))
        )

),

statements_kept as (

    select
        statements.*,
        lag(statements.observed_at) over (
            partition by statements.subscription_id order by statements.record_number
        ) as previous_observed_at
    from statements
    left join extracts_beyond_the_archive as beyond
        on
            statements.subscription_id = beyond.subscription_id
            and statements.record_number = beyond.record_number
    where
        not statements.has_archive
        or statements.record_source in ('event', 'before_first_event')
        or beyond.subscription_id is not null

),

-- A statement about the time before it was made: the object's own dates tell its trial.
reconstructed as (

    select
        statements_kept.*,
        case subscription_status
            when 'canceled' then 'active'
            when 'incomplete_expired' then 'incomplete'
            else subscription_status
        end as lived_status

    from statements_kept
    where
        record_source = 'before_first_event'
        or (record_source = 'first_extract' and not has_archive)

),

reconstructed_pieces as (

    select
        * exclude (lived_status),
        lived_status as version_status,
        started_at as effective_from_at,
        1 as part_number
    from reconstructed

    union all by name

    select
        * exclude (lived_status),
        'trialing' as version_status,
        greatest(trial_start_at, started_at) as effective_from_at,
        2 as part_number
    from reconstructed
    where
        trial_end_at is not null
        and lived_status != 'trialing'

    union all by name

    select
        * exclude (lived_status),
        lived_status as version_status,
        trial_end_at as effective_from_at,
        3 as part_number
    from reconstructed
    where
        trial_end_at is not null
        and lived_status != 'trialing'

),

stated_pieces as (

    select
        *,
        subscription_status as version_status,
        case
            when record_source = 'event' and event_type = 'customer.subscription.created'
                then least(observed_at, started_at)
            when
                record_source = 'later_extract'
                and not has_archive
                and subscription_status != 'trialing'
                and trial_end_at > previous_observed_at
                and trial_end_at <= observed_at
                then trial_end_at
            else observed_at
        end as effective_from_at,
        9 as part_number

    from statements_kept
    where
        record_source in ('event', 'later_extract')
        or has_archive and record_source = 'first_extract'

),

pieces as (

    select * from reconstructed_pieces
    where effective_from_at <= observed_at

    union all by name

    select * from stated_pieces

),

ends as (

    select
        statements_kept.subscription_id,
        least(
            min(coalesce(statements_kept.ended_at, statements_kept.observed_at)) filter (
                where statements_kept.is_ended
            ),
            min(int_stripe_customers_known.deleted_at)
        ) as ended_at,
        coalesce(
            max(statements_kept.subscription_status) filter (where statements_kept.is_ended),
            'canceled'
        ) as end_status

    from statements_kept
    left join int_stripe_customers_known
        on statements_kept.stripe_customer_id = int_stripe_customers_known.stripe_customer_id
    group by statements_kept.subscription_id

),

pieces_until_the_end as (

    select pieces.* from pieces
    inner join ends
        on pieces.subscription_id = ends.subscription_id
    where
        ends.ended_at is null
        or pieces.effective_from_at < ends.ended_at
        and not (pieces.is_ended and pieces.part_number = 9)

),

closing_pieces as (

    select
        statements_kept.* replace (false as is_cancel_scheduled),
        ends.end_status as version_status,
        ends.ended_at as effective_from_at,
        10 as part_number

    from statements_kept
    inner join ends
        on statements_kept.subscription_id = ends.subscription_id
    where ends.ended_at is not null
    qualify
        row_number() over (
            partition by statements_kept.subscription_id
            order by statements_kept.record_number desc
        ) = 1

),

final as (

    select * from pieces_until_the_end
    union all by name
    select * from closing_pieces

)

select * from final
