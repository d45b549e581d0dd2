{%- set discounts -%}
    case
        when json_array_length(invoices.discounts) > 0 then invoices.discounts
        when {{ json_string('invoices.discount', 'id') }} is not null
            then to_json([invoices.discount])
    end
{%- endset -%}

with

-- Only keys are ranked, read from the table a second time: an invoice with its lines is wide.
replaced_versions as (

    select
        id,
        _batch_id,
        _source_file,
        _source_row

    from {{ source('stripe', 'invoices') }}
    where coalesce(livemode, true)
    qualify not {{ is_latest_version('id') }}

),

final as (

    select
        invoices.id as invoice_id,
        {{ stripe_invoice_columns('invoices') }},

        {{ list_transform(json_array(discounts), stripe_discount('element')) }} as discounts,

        coalesce(invoices.deleted, false) as is_deleted,

        invoices._batch_id,
        invoices._extracted_at

    from {{ source('stripe', 'invoices') }} as invoices
    left join replaced_versions
        on
            -- Invoices of one list share a row, so the id is part of the join.
            invoices.id = replaced_versions.id
            and invoices._batch_id = replaced_versions._batch_id
            and invoices._source_file = replaced_versions._source_file
            and invoices._source_row = replaced_versions._source_row
    where
        replaced_versions._source_row is null
        and coalesce(invoices.livemode, true)

)

select * from final
