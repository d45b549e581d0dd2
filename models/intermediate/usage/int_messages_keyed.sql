-- A view, unlike its neighbours: fct_events alone reads it, and of it what a run works over.
{{ config(materialized='view') }}

with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

final as (

    select
        *,
        {{ row_digest(['message_type', 'event_name', 'tool_key']) }} as raw_name_key,
        {{ row_digest(['anonymous_id', 'user_id', 'workspace_id']) }} as identity_key

    from stg_segment__messages

)

select * from final
