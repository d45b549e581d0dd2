with

stg_audit__erasures as (

    select * from {{ ref('stg_audit__erasures') }}

),

final as (

    select
        erasure_id,
        source_system,
        identifier_type,
        requested_date,
        first_erased_at,
        last_erased_at,
        found_count,
        deleted_count,
        redacted_count,
        found_count > 0 or redacted_count > 0 as is_found

    from stg_audit__erasures

)

select * from final
