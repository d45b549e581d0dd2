with

int_subscription_states as (

    select * from {{ ref('int_subscription_states') }}

),

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

intervals as (

    select
        *,
        effective_from_at as valid_from_at,
        lead(effective_from_at) over (
            partition by subscription_id
            order by effective_from_at, part_number >= 10, record_number, part_number
        ) as valid_to_at

    from int_subscription_states

),

numbered as (

    select
        *,
        row_number() over (partition by subscription_id order by valid_from_at) as version_number,
        version_status = 'past_due'
        and lag(version_status, 1, '') over (partition by subscription_id order by valid_from_at)
        != 'past_due' as is_start_of_past_due

    from intervals
    where
        valid_to_at is null
        or valid_from_at < valid_to_at

),

past_due_spells as (

    select
        *,
        sum(cast(is_start_of_past_due as integer)) over (
            partition by subscription_id order by version_number
        ) as past_due_spell_number

    from numbered

),

-- The event that made it past due starts the grace; without one, the due date of the oldest invoice
-- that was open when the status was seen.
past_due_starts as (

    select
        past_due_spells.subscription_id,
        past_due_spells.past_due_spell_number,
        case
            when past_due_spells.record_source = 'event' then past_due_spells.valid_from_at
            else coalesce(
                    min(coalesce(stg_stripe__invoices.due_at, stg_stripe__invoices.created_at)),
                    past_due_spells.valid_from_at
                )
        end as past_due_since_at

    from past_due_spells
    left join stg_stripe__invoices
        on
            past_due_spells.subscription_id = stg_stripe__invoices.subscription_id
            and past_due_spells.observed_at >= stg_stripe__invoices.created_at
            and stg_stripe__invoices.status != 'draft'
            and coalesce(
                least(
                    stg_stripe__invoices.paid_at,
                    stg_stripe__invoices.voided_at,
                    stg_stripe__invoices.marked_uncollectible_at
                ) > past_due_spells.observed_at,
                stg_stripe__invoices.status = 'open'
            )
    where past_due_spells.is_start_of_past_due
    group by
        past_due_spells.subscription_id,
        past_due_spells.past_due_spell_number,
        past_due_spells.record_source,
        past_due_spells.valid_from_at

),

final as (

    select
        past_due_spells.subscription_id || '/' || past_due_spells.version_number as version_id,
        past_due_spells.subscription_id,
        past_due_spells.version_number,
        past_due_spells.valid_from_at,
        past_due_spells.valid_to_at,
        past_due_spells.version_status as subscription_status,
        past_due_spells.record_source,
        past_due_spells.stripe_customer_id,
        past_due_spells.currency,
        past_due_spells.is_cancel_scheduled,
        past_due_spells.cancel_at,
        past_due_spells.pause_behavior,
        past_due_spells.pause_resumes_at,
        case
            when past_due_spells.version_status = 'past_due'
                then {{ dbt.dateadd(
                    'day', var('past_due_grace_days'), 'past_due_starts.past_due_since_at'
                ) }}
        end as past_due_expires_at,
        past_due_spells.items,
        past_due_spells.has_more_items,
        past_due_spells.discounts,
        past_due_spells.default_tax_rates

    from past_due_spells
    left join past_due_starts
        on
            past_due_spells.subscription_id = past_due_starts.subscription_id
            and past_due_spells.past_due_spell_number = past_due_starts.past_due_spell_number

)

select * from final
