with

source as (

    select * from {{ source('stripe', 'events') }}

),

-- Only the narrow keys are ranked: the objects are heavy and most events come once.
first_deliveries as (

    select
        id,
        type,
        _batch_id,
        _source_file,
        _source_row

    from source
    qualify
        row_number() over (
            partition by id, type order by _extracted_at, _batch_id, _source_file, _source_row
        ) = 1

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
    inner join first_deliveries
        on
            source.id = first_deliveries.id
            and source.type = first_deliveries.type
            and source._batch_id = first_deliveries._batch_id
            and source._source_file = first_deliveries._source_file
            and source._source_row = first_deliveries._source_row
    where coalesce(source.livemode, true)

)

select * from final
