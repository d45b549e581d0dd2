-- Proves that every deal has stage intervals without gaps or overlaps, and that the last one has
-- the record's stage. A count of intervals would miss two that are swapped within one second. When
-- the as-of date is before the newest extract, records are newer than the intervals, so only the
-- chain is tested.
-- A warning, since a partial export may lack history rows, or contain objects of different times.
{{ config(severity='warn') }}

{%- set deal = '(partition by opportunity_id order by visit_number)' -%}

with

chained as (

    select
        opportunity_id,
        visit_number,
        stage_name,
        next_stage_name,
        left_at,
        lead(entered_at) over {{ deal }} as next_entered_at,
        lead(stage_name) over {{ deal }} as following_stage_name
    from {{ ref('fct_opportunity_stages') }}

)

select
    fct_opportunities.opportunity_id,
    chained.visit_number,
    chained.stage_name
from {{ ref('fct_opportunities') }} as fct_opportunities
cross join {{ ref('int_as_of') }} as int_as_of
left join chained
    on fct_opportunities.opportunity_id = chained.opportunity_id
where
    chained.left_at is distinct from chained.next_entered_at
    or chained.next_stage_name is distinct from chained.following_stage_name
    or (
        {{ 'false' if var('as_of_date') else 'true' }}
        and chained.left_at is null
        and chained.stage_name is distinct from fct_opportunities.stage_name
        and fct_opportunities.created_at <= int_as_of.as_of_at
    )
