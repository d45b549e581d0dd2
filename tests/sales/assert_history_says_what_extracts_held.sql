-- Proves that past states do not change: each version of a deal in an extract equals the state
-- that today's history has for the time of that version. Tests of today's state would miss a
-- history that later batches rewrite, or rows of one second in the wrong order. One minute of
-- tolerance, since a transaction may stamp its records one after another.
-- A warning, since a partial export may lack history rows, or contain objects of different times.
{{ config(severity='warn') }}

with

versions as (

    select
        opportunity_id,
        system_modified_at,
        stage_name,
        amount,
        close_date,
        is_deleted
    from {{ ref('stg_salesforce__opportunity_versions') }}

),

agreeing as (

    select distinct
        versions.opportunity_id,
        versions.system_modified_at
    from versions
    inner join {{ ref('int_opportunity_states') }} as states
        on versions.opportunity_id = states.opportunity_id
    where
        states.valid_from_at <= versions.system_modified_at + interval 1 minute
        and (states.valid_to_at is null or states.valid_to_at > versions.system_modified_at)
        and versions.stage_name = states.stage_name
        and cast(versions.amount as decimal(28, 6)) is not distinct from states.amount
        and versions.close_date = states.close_date
        and versions.is_deleted = states.is_deleted

)

select
    versions.opportunity_id,
    versions.system_modified_at,
    versions.stage_name,
    versions.amount
from versions
inner join {{ ref('int_as_of') }} as int_as_of
    on versions.system_modified_at <= int_as_of.as_of_at
left join agreeing
    on
        versions.opportunity_id = agreeing.opportunity_id
        and versions.system_modified_at = agreeing.system_modified_at
where agreeing.opportunity_id is null
