{%- set subscription_instants = '(partition by subscription_id order by instant_at)' -%}

with

int_item_stretches_invoiced as (

    select * from {{ ref('int_item_stretches_invoiced') }}

),

instants as (

    select
        subscription_id,
        valid_from_at as instant_at
    from int_item_stretches_invoiced

    union distinct

    select
        subscription_id,
        valid_to_at as instant_at
    from int_item_stretches_invoiced

),

intervals as (

    select
        subscription_id,
        instant_at as valid_from_at,
        lead(instant_at) over {{ subscription_instants }} as valid_to_at,
        lag(instant_at) over {{ subscription_instants }} as previous_from_at
    from instants

),

billed_items as (

    select
        intervals.subscription_id,
        intervals.valid_from_at,
        intervals.valid_to_at,
        stretches.subscription_item_id,
        stretches.price_id,
        stretches.quantity,
        stretches.billing_state

    from intervals
    inner join int_item_stretches_invoiced as stretches
        on
            intervals.subscription_id = stretches.subscription_id
            and intervals.valid_from_at >= stretches.valid_from_at
            and intervals.valid_from_at < stretches.valid_to_at

),

billed_intervals as (

    select
        subscription_id,
        valid_from_at,
        valid_to_at,
        case
            when bool_and(billing_state = 'void') then 'paused'
            when bool_and(billing_state in ('void', 'trial')) then 'trialing'
            when bool_or(billing_state = 'unpaid') then 'past_due'
            else 'active'
        end as invoiced_status,
        row_number() over (partition by subscription_id order by valid_from_at) = 1 as is_first

    from billed_items
    group by
        subscription_id,
        valid_from_at,
        valid_to_at

),

-- Where no invoice covers the time, the items of the billings before are projected, and before the
-- first billing those of the first. After the last one, the subscription's own record shows.
bases as (

    select
        subscription_id,
        valid_from_at,
        valid_to_at,
        valid_from_at as billed_from_at,
        invoiced_status,
        'invoice' as mrr_evidence
    from billed_intervals

    union all

    select
        subscription_id,
        cast('1900-01-01' as timestamp) as valid_from_at,
        valid_from_at as valid_to_at,
        valid_from_at as billed_from_at,
        cast(null as string) as invoiced_status,
        'projected' as mrr_evidence
    from billed_intervals
    where is_first

    union all

    select
        intervals.subscription_id,
        intervals.valid_from_at,
        intervals.valid_to_at,
        intervals.previous_from_at as billed_from_at,
        cast(null as string) as invoiced_status,
        case when intervals.valid_to_at is not null then 'projected' end as mrr_evidence

    from intervals
    left join billed_intervals
        on
            intervals.subscription_id = billed_intervals.subscription_id
            and intervals.valid_from_at = billed_intervals.valid_from_at
    where billed_intervals.subscription_id is null

),

final as (

    select
        bases.subscription_id,
        bases.valid_from_at,
        bases.valid_to_at,
        bases.invoiced_status,
        bases.mrr_evidence,
        billed_items.subscription_item_id,
        billed_items.price_id,
        billed_items.quantity

    from bases
    left join billed_items
        on
            bases.subscription_id = billed_items.subscription_id
            and bases.billed_from_at = billed_items.valid_from_at
            and bases.mrr_evidence is not null

)

select * from final
