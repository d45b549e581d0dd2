{#- A projected state shows a cancellation of later, so only one that was seen counts at once. -#}
{%- set evidence_of_churn = "('event', 'extract')" if var('mrr_churn_timing') == 'cancellation'
    else "('')" -%}

with

int_invoices_known as (

    select * from {{ ref('int_invoices_known') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

int_subscription_states_invoiced as (

    select * from {{ ref('int_subscription_states_invoiced') }}

),

intervals as (

    select
        subscription_id,
        record_number,
        subscription_status,
        mrr_evidence,
        invoiced_from_at,
        invoiced_status,
        part_number = 10 as is_after_the_end,
        effective_from_at as valid_from_at,
        lead(effective_from_at) over (
            partition by subscription_id
            order by effective_from_at, part_number >= 10, record_number, part_number
        ) as valid_to_at

    from int_subscription_states_invoiced

),

numbered as (

    select
        subscription_id,
        record_number,
        subscription_status,
        mrr_evidence,
        invoiced_from_at,
        invoiced_status,
        is_after_the_end,
        valid_from_at,
        valid_to_at,
        row_number() over (partition by subscription_id order by valid_from_at) as version_number,
        subscription_status = 'past_due'
        and lag(subscription_status, 1, '') over (
            partition by subscription_id order by valid_from_at
        ) != 'past_due' as is_start_of_past_due

    from intervals
    where
        valid_to_at is null
        or valid_from_at < valid_to_at

),

spells as (

    select
        subscription_id,
        record_number,
        subscription_status,
        mrr_evidence,
        invoiced_from_at,
        invoiced_status,
        is_after_the_end,
        valid_from_at,
        valid_to_at,
        version_number,
        is_start_of_past_due,
        sum(cast(is_start_of_past_due as integer)) over (
            partition by subscription_id order by version_number
        ) as past_due_spell_number

    from numbered

),

-- The grace period starts with the event that made the subscription past_due. Without one, it
-- starts with the due date of the oldest invoice that was open when the status was observed.
past_due_starts as (

    select
        spells.subscription_id,
        spells.past_due_spell_number,
        case
            when records.record_source in ('event', 'invoice') then spells.valid_from_at
            else coalesce(
                    min(coalesce(int_invoices_known.due_at, int_invoices_known.created_at)),
                    spells.valid_from_at
                )
        end as past_due_since_at

    from spells
    inner join int_subscription_source_records as records
        on
            spells.subscription_id = records.subscription_id
            and spells.record_number = records.record_number
    left join int_invoices_known
        on
            spells.subscription_id = int_invoices_known.subscription_id
            and records.observed_at >= int_invoices_known.created_at
            and int_invoices_known.status != 'draft'
            and coalesce(
                least(
                    int_invoices_known.paid_at,
                    int_invoices_known.voided_at,
                    int_invoices_known.marked_uncollectible_at
                ) > records.observed_at,
                int_invoices_known.status = 'open'
            )
    where spells.is_start_of_past_due
    group by
        spells.subscription_id,
        spells.past_due_spell_number,
        records.record_source,
        spells.valid_from_at

),

-- A subscription keeps its currency. Events of older API versions do not name it. Invoices are read
-- from their model again, because DuckDB materializes a CTE that is read twice, with all the lines.
named_currencies as (

    select
        subscription_id,
        currency
    from int_subscription_source_records

    union all

    select
        subscription_id,
        currency
    from {{ ref('int_invoices_known') }}

),

subscription_currencies as (

    select
        subscription_id,
        min(currency) as currency
    from named_currencies
    group by subscription_id

),

final as (

    select
        spells.subscription_id || '/' || spells.version_number as version_id,
        spells.subscription_id,
        spells.version_number,
        spells.record_number,
        spells.valid_from_at,
        spells.valid_to_at,
        spells.subscription_status,
        spells.mrr_evidence,
        spells.invoiced_from_at,
        records.stripe_customer_id,
        coalesce(records.currency, subscription_currencies.currency) as currency,
        records.is_cancel_scheduled and not spells.is_after_the_end as is_cancel_scheduled,
        case
            when records.is_cancel_scheduled and spells.mrr_evidence in {{ evidence_of_churn }}
                then spells.valid_from_at
            else records.cancel_at
        end as cancel_at,
        case
            when spells.invoiced_status = 'paused' then 'void'
            when spells.invoiced_status is null then records.pause_behavior
        end as pause_behavior,
        case when spells.invoiced_status is null then records.pause_resumes_at end
            as pause_resumes_at,
        case
            when spells.subscription_status = 'past_due'
                then {{ dbt.dateadd(
                    'day', var('past_due_grace_days'), 'past_due_starts.past_due_since_at'
                ) }}
        end as past_due_expires_at

    from spells
    inner join int_subscription_source_records as records
        on
            spells.subscription_id = records.subscription_id
            and spells.record_number = records.record_number
    left join past_due_starts
        on
            spells.subscription_id = past_due_starts.subscription_id
            and spells.past_due_spell_number = past_due_starts.past_due_spell_number
    left join subscription_currencies
        on spells.subscription_id = subscription_currencies.subscription_id

)

select * from final
