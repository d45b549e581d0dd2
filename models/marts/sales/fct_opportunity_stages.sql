with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

int_opportunity_stage_intervals as (

    select * from {{ ref('int_opportunity_stage_intervals') }}

),

final as (

    select
        int_opportunity_stage_intervals.opportunity_id,
        cast(int_opportunity_stage_intervals.interval_number as integer) as visit_number,
        int_opportunities_valued.account_id,
        int_opportunity_stage_intervals.sales_rep_id,
        int_opportunity_stage_intervals.stage_name,
        cast(int_opportunity_stage_intervals.stage_number as integer) as stage_number,
        cast(int_opportunity_stage_intervals.stage_interval_number as integer)
            as stage_visit_number,
        int_opportunity_stage_intervals.previous_stage_name,
        int_opportunity_stage_intervals.next_stage_name,
        int_opportunity_stage_intervals.amount_usd,
        cast(int_opportunity_stage_intervals.skipped_stage_count as integer) as skipped_stage_count,
        case
            when
                not int_opportunity_stage_intervals.is_closed
                or int_opportunity_stage_intervals.left_at is not null
                then cast({{ dbt.datediff(
                    'cast(int_opportunity_stage_intervals.entered_at as date)',
                    'coalesce(cast(int_opportunity_stage_intervals.left_at as date), int_as_of.as_of_date)',
                    'day'
                ) }} as integer)
        end as stage_days,
        int_opportunity_stage_intervals.is_closed,
        int_opportunity_stage_intervals.is_won,
        int_opportunity_stage_intervals.is_current,
        int_opportunity_stage_intervals.is_regression,
        int_opportunity_stage_intervals.is_reopening,
        int_opportunity_stage_intervals.entered_at,
        int_opportunity_stage_intervals.left_at

    from int_opportunity_stage_intervals
    inner join int_opportunities_valued
        on int_opportunity_stage_intervals.opportunity_id = int_opportunities_valued.opportunity_id
    cross join int_as_of

)

select * from final
