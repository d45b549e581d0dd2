with

source as (

    select * from {{ source('stripe', 'events') }}

),

-- Stripe sends an event at least once. Only narrow keys are ranked, read from the table a second
-- time: DuckDB materializes a CTE that is read twice, with all the objects.
repeated_copies as (

    select
        id,
        _batch_id,
        _source_file,
        _source_row

    from {{ source('stripe', 'events') }}
    qualify
        row_number() over (
            partition by id order by _extracted_at, _batch_id, _source_file, _source_row
        ) > 1

),

final as (

    select
        source.id as event_id,
        {{ json_string('source.data', 'object.id') }} as object_id,

        source.type as event_type,
        {{ json_string('source.data', 'object.object') }} as object_type,
        source.api_version,
        {{ json_value('source.data', 'object') }} as object,
        {{ json_value('source.data', 'previous_attributes') }} as previous_attributes,

        {{ from_epoch('source.created') }} as occurred_at,

        source._batch_id,
        source._extracted_at

    from source
    left join repeated_copies
        on
            -- Events of one list share a row, so the id is part of the join.
            source.id = repeated_copies.id
            and source._batch_id = repeated_copies._batch_id
            and source._source_file = repeated_copies._source_file
            and source._source_row = repeated_copies._source_row
    where
        repeated_copies._source_row is null
        and coalesce(source.livemode, true)
        and coalesce(cast({{ json_string('source.data', 'object.livemode') }} as boolean), true)

)

select * from final
