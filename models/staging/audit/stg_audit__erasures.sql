with

source as (

    select * from {{ source('audit', 'erasures') }}

),

-- A later batch that brings a person back adds rows. Those of the request itself name its kind.
final as (

    select
        erasure_id,
        source_system,
        coalesce(max(identifier_type), 'unknown') as identifier_type,
        min(requested_date) as requested_date,
        min(erased_at) as first_erased_at,
        max(erased_at) as last_erased_at,
        cast(sum(rows_found) as bigint) as found_count,
        cast(sum(rows_erased) as bigint) as deleted_count,
        cast(sum(rows_redacted) as bigint) as redacted_count

    from source
    group by
        erasure_id,
        source_system

)

select * from final
