with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

stg_stripe__subscription_schedules as (

    select * from {{ ref('stg_stripe__subscription_schedules') }}

),

phases as (

    select
        subscription_schedule_id,
        subscription_id,
        stripe_customer_id,
        end_behavior,
        {{ explode('phases', with_position=true) }} as phase

    from stg_stripe__subscription_schedules
    where
        status in ('not_started', 'active')
        and not is_deleted

),

-- A released subscription goes on as in its last phase.
unpacked_phases as (

    select
        subscription_schedule_id,
        subscription_id,
        stripe_customer_id,
        phase.position as phase_number,
        phase.value.start_at as starts_at,
        phase.value.end_at as phase_ends_at,
        case
            when
                end_behavior = 'cancel'
                or max(phase.position) over (
                    partition by subscription_schedule_id
                ) > phase.position
                then phase.value.end_at
        end as ends_at,
        phase.value.trial_end_at,
        phase.value.currency,
        phase.value.has_discounts,
        phase.value.phase_items

    from phases

),

exploded as (

    select
        subscription_schedule_id,
        subscription_id,
        stripe_customer_id,
        phase_number,
        starts_at,
        phase_ends_at,
        ends_at,
        trial_end_at,
        currency,
        has_discounts,
        {{ explode('phase_items', with_position=true) }} as phase_item
    from unpacked_phases

),

items as (

    select
        subscription_schedule_id,
        subscription_id,
        stripe_customer_id,
        phase_number,
        phase_item.position as item_number,
        starts_at,
        phase_ends_at,
        ends_at,
        trial_end_at,
        currency,
        phase_item.value.price_id,
        phase_item.value.quantity,
        coalesce(has_discounts, true)
        or coalesce(phase_item.value.has_discounts, false) as may_have_discounts

    from exploded

),

final as (

    select
        items.subscription_schedule_id,
        items.subscription_id,
        items.stripe_customer_id,
        items.phase_number,
        items.item_number,
        items.starts_at,
        items.ends_at,
        items.trial_end_at,
        items.currency,
        items.price_id,
        items.quantity,
        items.may_have_discounts,
        items.starts_at > int_as_of.as_of_at as is_future

    from items
    cross join int_as_of
    where coalesce(items.phase_ends_at > int_as_of.as_of_at, true)

)

select * from final
