with

fct_opportunity_stages as (

    select * from {{ ref('fct_opportunity_stages') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

close_dates as (

    select
        opportunity_id,
        state_number,
        close_date,
        lag(close_date) over (
            partition by opportunity_id order by state_number
        ) as previous_close_date
    from int_opportunity_states
    -- A state without duration was overwritten by its own save.
    where close_date is not null and (valid_to_at is null or valid_to_at > valid_from_at)

),

pushes as (

    select
        opportunity_id,
        count(*) filter (
            where {{ month_start('close_date') }} > {{ month_start('previous_close_date') }}
        ) as push_count,
        min_by(close_date, state_number) as first_close_date,
        max_by(close_date, state_number) as last_close_date
    from close_dates
    group by opportunity_id

),

open_stages as (

    select
        opportunity_id,
        stage_name,
        stage_number,
        sum(stage_days) as stage_days
    from fct_opportunity_stages
    where not is_closed and (left_at is null or left_at > entered_at)
    group by
        opportunity_id,
        stage_name,
        stage_number

),

days_by_stage as (

    select
        opportunity_id,
        concat(
            '{',
            {{ dbt.listagg(
                'concat(' ~ quoted_text('stage_name') ~ ", ':', stage_days)",
                "','",
                'order by stage_number'
            ) }},
            '}'
        ) as days_by_stage
    from open_stages
    group by opportunity_id

),

stage_summaries as (

    select
        opportunity_id,
        count(*) filter (where is_regression) as regression_count,
        count(*) filter (where is_reopening) as reopening_count,
        sum(skipped_stage_count) as skipped_stage_count,
        max(entered_at) filter (where is_current and is_closed) as closed_at,
        max(sales_rep_id) filter (where is_current and is_closed) as closing_sales_rep_id,
        max(stage_days) filter (where is_current and not is_closed) as current_stage_days
    from fct_opportunity_stages
    group by opportunity_id

),

final as (

    select
        deals.opportunity_id,
        deals.opportunity_name,
        deals.account_id,
        deals.salesforce_account_id,
        deals.sales_rep_id,
        case
            when deals.is_closed
                then coalesce(stage_summaries.closing_sales_rep_id, deals.sales_rep_id)
        end as closing_sales_rep_id,
        deals.opportunity_type,
        deals.lead_source,
        deals.stage_name,
        deals.forecast_category,
        deals.loss_reason,
        days_by_stage.days_by_stage,
        deals.currency,
        deals.amount,
        deals.amount_usd,
        deals.probability_rate,
        greatest(coalesce(deals.push_count, 0), coalesce(pushes.push_count, 0)) as push_count,
        cast(coalesce({{ dbt.datediff(
            'pushes.first_close_date', 'pushes.last_close_date', 'day'
        ) }}, 0) as integer) as pushed_days,
        cast(coalesce(stage_summaries.regression_count, 0) as integer) as regression_count,
        cast(coalesce(stage_summaries.reopening_count, 0) as integer) as reopening_count,
        cast(coalesce(stage_summaries.skipped_stage_count, 0) as integer) as skipped_stage_count,
        deals.sales_cycle_days,
        cast(stage_summaries.current_stage_days as integer) as current_stage_days,
        deals.is_closed,
        deals.is_won,
        deals.is_lost,
        pushes.first_close_date,
        deals.close_date,
        deals.close_month,
        {{ fiscal_quarter_start('deals.close_date') }} as close_fiscal_quarter_date,
        deals.created_date,
        {{ salesforce_passthrough('Opportunity', 'deals') }}
        deals.created_at,
        deals.stage_changed_at,
        case when deals.is_closed then stage_summaries.closed_at end as closed_at

    from int_opportunities_valued as deals
    left join pushes
        on deals.opportunity_id = pushes.opportunity_id
    left join stage_summaries
        on deals.opportunity_id = stage_summaries.opportunity_id
    left join days_by_stage
        on deals.opportunity_id = days_by_stage.opportunity_id

)

select * from final
