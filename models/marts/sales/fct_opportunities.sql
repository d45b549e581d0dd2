with

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

int_opportunities_tracked as (

    select * from {{ ref('int_opportunities_tracked') }}

),

final as (

    select
        valued.opportunity_id,
        valued.opportunity_name,
        valued.account_id,
        valued.salesforce_account_id,
        valued.sales_rep_id,
        case
            when valued.is_closed
                then coalesce(tracked.closing_sales_rep_id, valued.sales_rep_id)
        end as closing_sales_rep_id,
        valued.opportunity_type,
        valued.lead_source,
        valued.stage_name,
        valued.forecast_category,
        valued.loss_reason,
        tracked.days_by_stage,
        valued.currency,
        valued.amount,
        valued.amount_usd,
        valued.probability_rate,
        greatest(coalesce(valued.push_count, 0), coalesce(tracked.push_count, 0)) as push_count,
        cast(coalesce(tracked.pushed_days, 0) as integer) as pushed_days,
        cast(coalesce(tracked.regression_count, 0) as integer) as regression_count,
        cast(coalesce(tracked.reopening_count, 0) as integer) as reopening_count,
        cast(coalesce(tracked.skipped_stage_count, 0) as integer) as skipped_stage_count,
        valued.sales_cycle_days,
        cast(tracked.current_stage_days as integer) as current_stage_days,
        valued.is_closed,
        valued.is_won,
        valued.is_lost,
        tracked.first_close_date,
        valued.close_date,
        valued.close_month,
        valued.created_date,
        valued.created_at,
        valued.stage_changed_at,
        case when valued.is_closed then tracked.closed_at end as closed_at

    from int_opportunities_valued as valued
    left join int_opportunities_tracked as tracked
        on valued.opportunity_id = tracked.opportunity_id

)

select * from final
