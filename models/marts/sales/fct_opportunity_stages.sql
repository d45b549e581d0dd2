with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

int_opportunity_stage_visits as (

    select * from {{ ref('int_opportunity_stage_visits') }}

),

final as (

    select
        int_opportunity_stage_visits.opportunity_id,
        cast(int_opportunity_stage_visits.visit_number as integer) as visit_number,
        int_opportunities_valued.account_id,
        int_opportunity_stage_visits.sales_rep_id,
        int_opportunity_stage_visits.stage_name,
        cast(int_opportunity_stage_visits.stage_number as integer) as stage_number,
        cast(int_opportunity_stage_visits.stage_visit_number as integer) as stage_visit_number,
        int_opportunity_stage_visits.previous_stage_name,
        int_opportunity_stage_visits.next_stage_name,
        int_opportunity_stage_visits.amount_usd,
        cast(int_opportunity_stage_visits.skipped_stage_count as integer) as skipped_stage_count,
        case
            when
                not int_opportunity_stage_visits.is_closed
                or int_opportunity_stage_visits.left_at is not null
                then cast({{ dbt.datediff(
                    'cast(int_opportunity_stage_visits.entered_at as date)',
                    'coalesce(cast(int_opportunity_stage_visits.left_at as date), int_as_of.as_of_date)',
                    'day'
                ) }} as integer)
        end as stage_days,
        int_opportunity_stage_visits.is_closed,
        int_opportunity_stage_visits.is_won,
        int_opportunity_stage_visits.is_current,
        int_opportunity_stage_visits.is_regression,
        int_opportunity_stage_visits.is_reopening,
        int_opportunity_stage_visits.entered_at,
        int_opportunity_stage_visits.left_at

    from int_opportunity_stage_visits
    inner join int_opportunities_valued
        on int_opportunity_stage_visits.opportunity_id = int_opportunities_valued.opportunity_id
    cross join int_as_of

)

select * from final
