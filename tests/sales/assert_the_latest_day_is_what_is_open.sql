-- Proves that the pipeline of the as-of date has exactly the CRM's open deals, by stage and owner.
-- It finds a deal that is left out for its category or because it did not change, and a deleted
-- deal that counts. It tests nothing when the as-of date is before the newest extract.
-- A warning, since a partial export may lack history rows, or contain objects of different times.
{{ config(severity='warn') }}

with

daily as (

    select
        fct_pipeline_daily.stage_name,
        fct_pipeline_daily.sales_rep_id,
        sum(fct_pipeline_daily.opportunity_count) as opportunity_count
    from {{ ref('fct_pipeline_daily') }} as fct_pipeline_daily
    inner join {{ ref('int_as_of') }} as int_as_of
        on fct_pipeline_daily.pipeline_date = int_as_of.as_of_date
    group by
        fct_pipeline_daily.stage_name,
        fct_pipeline_daily.sales_rep_id

),

in_crm as (

    select
        opportunities.stage_name,
        opportunities.sales_rep_id,
        count(*) as opportunity_count
    from {{ ref('fct_opportunities') }} as opportunities
    inner join {{ ref('int_as_of') }} as int_as_of
        on coalesce(opportunities.created_at <= int_as_of.as_of_at, true)
    where not opportunities.is_closed
    group by
        opportunities.stage_name,
        opportunities.sales_rep_id

),

both_sides as (

    select
        stage_name,
        sales_rep_id,
        opportunity_count
    from daily

    union all

    select
        stage_name,
        sales_rep_id,
        -opportunity_count as opportunity_count
    from in_crm

)

select
    stage_name,
    sales_rep_id,
    sum(opportunity_count) as difference
from both_sides
where {{ 'false' if var('as_of_date') else 'true' }}
group by
    stage_name,
    sales_rep_id
having sum(opportunity_count) != 0
