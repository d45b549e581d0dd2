{#-
    The archive has several events for every invoice, each with the whole object, and an extract replaces
    most of them. So keys are read first, and the object only of an event that no extract replaces. A run
    takes the loads that came, as macros/incremental.sql explains. It reads all events again when a load
    or an extract that a row relies on is gone.
-#}
{{ config(
    materialized='incremental',
    unique_key='invoice_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('stripe', 'events')) }}){% endif %}",
) }}

{%- set key_fields = {'object': {
    'id': 'string', 'status': 'string', 'attempt_count': 'integer', 'deleted': 'boolean',
    'livemode': 'boolean',
}} %}
{%- set invoice_fields = {
    'id': 'string', 'customer': 'string', 'parent': 'json', 'subscription': 'string',
    'number': 'string', 'status': 'string', 'billing_reason': 'string',
    'collection_method': 'string', 'currency': 'string', 'subtotal': 'bigint',
    'total_discount_amounts': 'json', 'tax': 'bigint', 'total_taxes': 'json',
    'total_tax_amounts': 'json', 'total': 'bigint', 'amount_shipping': 'bigint',
    'total_pretax_credit_amounts': 'json', 'starting_balance': 'bigint',
    'ending_balance': 'bigint', 'amount_due': 'bigint', 'amount_overpaid': 'bigint',
    'amount_paid': 'bigint', 'amount_paid_off_stripe': 'bigint', 'paid_out_of_band': 'boolean',
    'amount_remaining': 'bigint', 'pre_payment_credit_notes_amount': 'bigint',
    'post_payment_credit_notes_amount': 'bigint', 'lines': 'json', 'charge': 'string',
    'payment_intent': 'string', 'payments': 'json', 'attempt_count': 'bigint', 'created': 'bigint',
    'status_transitions': 'json', 'effective_at': 'bigint', 'due_date': 'bigint',
    'period_start': 'bigint', 'period_end': 'bigint',
} %}
{%- set keys = [
    'invoice_id', 'event_id', 'event_type', 'occurred_at', 'is_deleted', 'status_number',
    'attempt_number', '_batch_id', '_extracted_at', '_loaded_at', '_source_file', '_source_row',
] %}

with

newest_extracts as (

    select
        id as invoice_id,
        max(_extracted_at) as extracted_at
    from {{ source('stripe', 'invoices') }}
    where coalesce(livemode, true)
    group by id

),

{%- if is_incremental() %}

stale_rows as (

    select count(*) as row_count
    from {{ this }} as stored
    left join newest_extracts on stored.invoice_id = newest_extracts.invoice_id
    where
        stored._loaded_at not in (select _loaded_at from {{ source('stripe', 'events') }})
        or (
            stored.is_superseded
            and coalesce(stored.occurred_at > newest_extracts.extracted_at, true)
        )

),

known as (

    select {{ keys | join(', ') }} from {{ this }}
    where (select stale_rows.row_count from stale_rows) = 0

),

loads_read as (

    {{ loads_only_in(source('stripe', 'events'), 'known') }}

),
{%- endif %}

events as (

    select
        id as event_id,
        type as event_type,
        {{ from_epoch('created') }} as occurred_at,
        {{ json_fields('data', key_fields) }} as data_fields,
        _batch_id,
        _extracted_at,
        _loaded_at,
        _source_file,
        _source_row
    from {{ source('stripe', 'events') }}
    where
        type like 'invoice.%'
        -- The preview of an invoice that does not exist yet.
        and type != 'invoice.upcoming'
        and coalesce(livemode, true)
    {%- if is_incremental() %}
        and _loaded_at in (select loads_read._loaded_at from loads_read)
    {%- endif %}

),

candidates as (

    select
        data_fields.object.id as invoice_id,
        event_id,
        event_type,
        occurred_at,
        event_type = 'invoice.deleted' or coalesce(data_fields.object.deleted, false)
            as is_deleted,
        case data_fields.object.status
            when 'draft' then 0
            when 'open' then 1
            when 'uncollectible' then 2
            else 3
        end as status_number,
        coalesce(data_fields.object.attempt_count, 0) as attempt_number,
        _batch_id,
        _extracted_at,
        _loaded_at,
        _source_file,
        _source_row
    from events
    where
        data_fields.object.id is not null
        and coalesce(data_fields.object.livemode, true)

    {%- if is_incremental() %}

    union all

    select {{ keys | join(', ') }} from known
    {%- endif %}

),

-- Stripe's clock has whole seconds. Within one, an invoice goes from draft to open to its end. A
-- deleted draft never comes back.
latest as (

    select {{ keys | join(', ') }}
    from candidates
    qualify
        row_number() over (
            partition by invoice_id
            order by
                is_deleted desc,
                occurred_at desc,
                status_number desc,
                attempt_number desc,
                event_id asc,
                _extracted_at asc,
                _batch_id asc,
                _source_file asc,
                _source_row asc
        ) = 1

),

judged as (

    select
        latest.{{ keys | join(',\n        latest.') }},
        coalesce(latest.occurred_at <= newest_extracts.extracted_at, false)
        and not latest.is_deleted as is_superseded
    from latest
    left join newest_extracts
        on latest.invoice_id = newest_extracts.invoice_id
    {%- if is_incremental() %}
    where latest._loaded_at in (select loads_read._loaded_at from loads_read)
    {%- endif %}

),

objects as (

    select
        judged.invoice_id,
        {{ json_fields(json_value('events.data', 'object'), invoice_fields) }} as invoice
    from {{ source('stripe', 'events') }} as events
    inner join judged
        on
            events.id = judged.event_id
            and events._batch_id = judged._batch_id
            and events._source_file = judged._source_file
            and events._source_row = judged._source_row
    where not judged.is_superseded

),

final as (

    select
        judged.invoice_id,
        {{ stripe_invoice_columns('objects.invoice') }},

        judged.is_superseded,
        judged.is_deleted,

        judged.event_id,
        judged.event_type,
        judged.status_number,
        judged.attempt_number,
        judged.occurred_at,

        judged._batch_id,
        judged._extracted_at,
        judged._loaded_at,
        judged._source_file,
        judged._source_row
    from judged
    left join objects
        on judged.invoice_id = objects.invoice_id

)

select * from final
