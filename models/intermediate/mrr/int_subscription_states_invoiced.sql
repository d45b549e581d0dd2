with

int_subscription_items_invoiced as (

    select * from {{ ref('int_subscription_items_invoiced') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

int_subscription_states as (

    select * from {{ ref('int_subscription_states') }}

),

intervals as (

    select
        subscription_id,
        record_number,
        part_number,
        subscription_status,
        effective_from_at as valid_from_at,
        lead(effective_from_at) over (
            partition by subscription_id
            order by effective_from_at, part_number >= 10, record_number, part_number
        ) as valid_to_at

    from int_subscription_states

),

invoiced_states as (

    select distinct
        subscription_id,
        valid_from_at,
        valid_to_at,
        invoiced_status,
        mrr_evidence
    from int_subscription_items_invoiced

),

-- Invoices show the time before the first event or extract, and the changes between two extracts.
pieces as (

    select
        intervals.subscription_id,
        intervals.record_number,
        intervals.part_number,
        records.record_source,
        intervals.subscription_status,
        greatest(intervals.valid_from_at, invoiced_states.valid_from_at) as effective_from_at,
        case
            when
                intervals.part_number < 9
                or (
                    records.record_source in ('first_extract', 'later_extract')
                    and intervals.part_number = 9
                    and invoiced_states.valid_from_at > intervals.valid_from_at
                )
                then invoiced_states.mrr_evidence
        end as invoice_evidence,
        invoiced_states.valid_from_at as invoiced_from_at,
        invoiced_states.invoiced_status

    from intervals
    inner join int_subscription_source_records as records
        on
            intervals.subscription_id = records.subscription_id
            and intervals.record_number = records.record_number
    left join invoiced_states
        on
            intervals.subscription_id = invoiced_states.subscription_id
            and intervals.part_number < 10
            and coalesce(intervals.valid_from_at < invoiced_states.valid_to_at, true)
            and coalesce(intervals.valid_to_at > invoiced_states.valid_from_at, true)
    where
        intervals.valid_to_at is null
        or intervals.valid_from_at < intervals.valid_to_at

),

final as (

    select
        subscription_id,
        record_number,
        part_number,
        effective_from_at,
        case
            when
                invoice_evidence is null
                or invoiced_status is null
                or subscription_status = 'trialing'
                or (invoiced_status = 'past_due' and record_source != 'invoice')
                then subscription_status
            when invoiced_status = 'paused' then 'active'
            else invoiced_status
        end as subscription_status,
        case when invoice_evidence is not null then invoiced_from_at end as invoiced_from_at,
        case when invoice_evidence is not null then invoiced_status end as invoiced_status,
        coalesce(
            invoice_evidence,
            case
                when part_number < 9 then 'projected'
                when record_source = 'event' then 'event'
                else 'extract'
            end
        ) as mrr_evidence

    from pieces

)

select * from final
