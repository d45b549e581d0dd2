with

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

-- What changes MRR inside a version although no event says so.
cuts as (

    select
        version_id,
        valid_from_at as cut_at
    from int_subscription_versions

    union

    select
        version_id,
        pause_resumes_at as cut_at
    from int_subscription_versions

    union

    select
        version_id,
        cancel_at as cut_at
    from int_subscription_versions

    union

    select
        version_id,
        past_due_expires_at as cut_at
    from int_subscription_versions

    union

    select
        version_id,
        live_from_at as cut_at
    from int_subscription_version_discounts

    union

    select
        version_id,
        live_to_at as cut_at
    from int_subscription_version_discounts

),

cuts_inside as (

    select
        int_subscription_versions.*,
        cuts.cut_at

    from cuts
    inner join int_subscription_versions
        on cuts.version_id = int_subscription_versions.version_id
    where
        cuts.cut_at >= int_subscription_versions.valid_from_at
        and (
            int_subscription_versions.valid_to_at is null
            or cuts.cut_at < int_subscription_versions.valid_to_at
        )

),

final as (

    select
        version_id || '/' || row_number() over (partition by version_id order by cut_at)
            as mrr_period_id,
        version_id,
        subscription_id,
        stripe_customer_id,
        cut_at as valid_from_at,
        coalesce(
            lead(cut_at) over (partition by version_id order by cut_at), valid_to_at
        ) as valid_to_at,
        subscription_status,
        is_cancel_scheduled and (cancel_at is null or cut_at < cancel_at) as is_cancel_scheduled,
        case
            when subscription_status not in ('active', 'past_due') then subscription_status
            when cancel_at <= cut_at then 'canceled'
            when past_due_expires_at <= cut_at then 'past_due_expired'
            when
                pause_behavior in ('void', 'mark_uncollectible')
                and (pause_resumes_at is null or pause_resumes_at > cut_at)
                then 'paused'
        end as status_exclusion_reason

    from cuts_inside

)

select * from final
