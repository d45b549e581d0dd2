with

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

int_opportunity_stage_intervals as (

    select * from {{ ref('int_opportunity_stage_intervals') }}

),

final as (

    select
        intervals.opportunity_id,
        cast(intervals.interval_number as integer) as visit_number,
        int_opportunities_valued.account_id,
        intervals.sales_rep_id,
        intervals.stage_name,
        cast(intervals.stage_number as integer) as stage_number,
        cast(intervals.stage_interval_number as integer) as stage_visit_number,
        intervals.previous_stage_name,
        intervals.next_stage_name,
        intervals.amount_usd,
        cast(intervals.skipped_stage_count as integer) as skipped_stage_count,
        case
            when not intervals.is_closed or not intervals.is_current
                then cast(intervals.stage_days as integer)
        end as stage_days,
        intervals.is_closed,
        intervals.is_won,
        intervals.is_current,
        intervals.is_regression,
        intervals.is_reopening,
        intervals.entered_at,
        intervals.left_at

    from int_opportunity_stage_intervals as intervals
    inner join int_opportunities_valued
        on intervals.opportunity_id = int_opportunities_valued.opportunity_id

)

select * from final
