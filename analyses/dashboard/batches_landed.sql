-- How many records did each batch bring, and how many were rejected?
with

dq_batches as (

    select * from {{ ref('dq_batches') }}

),

final as (

    select
        batch_id,
        read_count,
        landed_count,
        rejected_count,
        salesforce_count,
        stripe_count,
        segment_count,
        schema_change_count

    from dq_batches

)

select * from final
order by batch_id
