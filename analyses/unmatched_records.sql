-- How many records are unmatched or ambiguous, and why? The records are in
-- `fct_unmatched_identities`.
with

fct_unmatched_identities as (

    select * from {{ ref('fct_unmatched_identities') }}

),

final as (

    select
        source_system,
        foreign_type,
        reason,
        is_linked,
        count(*) as record_count,
        min(foreign_id) as example_id

    from fct_unmatched_identities
    group by
        source_system,
        foreign_type,
        reason,
        is_linked

)

select * from final
order by
    source_system,
    foreign_type,
    reason
