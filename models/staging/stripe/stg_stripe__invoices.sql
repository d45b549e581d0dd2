{#-
    The only pass over the JSON of invoices, which is most of the work. A run reads the invoices whose
    latest row is not the one that the table has, and deletes those whose load is gone. The raw table
    is read by its name: only keys are ranked, because an invoice with its lines is wide.
-#}
{{ config(
    materialized='incremental',
    unique_key='invoice_id',
    post_hook="{% if is_incremental() %}delete from {{ this }} where _loaded_at in ({{
        loads_only_in(this, source('stripe', 'invoices')) }}){% endif %}",
) }}

{%- set discounts -%}
    case
        when json_array_length(invoices.discounts) > 0 then invoices.discounts
        when {{ json_string('invoices.discount', 'id') }} is not null
            then {{ json_list(['invoices.discount']) }}
    end
{%- endset -%}

with

latest as (

    select
        id,
        _loaded_at,
        _source_file,
        _source_row

    from {{ source('stripe', 'invoices') }}
    where coalesce(livemode, true)
    qualify {{ is_latest_version('id') }}

),

changed as (

    select
        latest.id,
        latest._loaded_at,
        latest._source_file,
        latest._source_row

    from latest
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            latest.id = known.invoice_id
            and latest._loaded_at = known._loaded_at
            and latest._source_file = known._source_file
            and latest._source_row = known._source_row
    where known.invoice_id is null
    {%- endif %}

),

final as (

    select
        invoices.id as invoice_id,
        {{ stripe_invoice_columns('invoices') }},

        {{ list_transform(json_array(discounts), stripe_discount('element')) }} as discounts,

        coalesce(invoices.deleted, false) as is_deleted,

        invoices._batch_id,
        invoices._extracted_at,
        invoices._loaded_at,
        invoices._source_file,
        invoices._source_row

    from {{ source('stripe', 'invoices') }} as invoices
    inner join changed
        on
            -- Invoices of one list share a row, so the id is part of the join.
            invoices.id = changed.id
            and invoices._loaded_at = changed._loaded_at
            and invoices._source_file = changed._source_file
            and invoices._source_row = changed._source_row

)

select * from final
