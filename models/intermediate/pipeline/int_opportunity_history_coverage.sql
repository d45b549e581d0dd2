with

int_opportunity_history_rows_ordered as (

    select * from {{ ref('int_opportunity_history_rows_ordered') }}

),

stg_salesforce__opportunity_versions as (

    select * from {{ ref('stg_salesforce__opportunity_versions') }}

),

histories as (

    select
        opportunity_id,
        min(changed_at) as first_history_at,
        max(changed_at) as last_history_at
    from int_opportunity_history_rows_ordered
    group by opportunity_id

),

opportunities as (

    select
        opportunity_id,
        coalesce(min(created_at), min(system_modified_at)) as created_at
    from stg_salesforce__opportunity_versions
    group by opportunity_id

),

final as (

    select
        opportunities.opportunity_id,
        opportunities.created_at,
        histories.first_history_at,
        histories.last_history_at

    from opportunities
    left join histories
        on opportunities.opportunity_id = histories.opportunity_id

)

select * from final
