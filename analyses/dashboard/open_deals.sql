-- Which deals are open, in which stage, and how often was their close date pushed?
with

fct_opportunities as (

    select * from {{ ref('fct_opportunities') }}

),

fct_pipeline_daily as (

    select * from {{ ref('fct_pipeline_daily') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

dim_sales_reps as (

    select * from {{ ref('dim_sales_reps') }}

),

stages as (

    select
        stage_name,
        max(stage_number) as stage_number
    from fct_pipeline_daily
    group by stage_name

),

final as (

    select
        fct_opportunities.opportunity_id,
        fct_opportunities.opportunity_name,
        fct_opportunities.sales_rep_id,
        dim_sales_reps.sales_rep_name,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        fct_opportunities.stage_name,
        stages.stage_number,
        fct_opportunities.amount_usd,
        fct_opportunities.close_date,
        fct_opportunities.push_count,
        fct_opportunities.current_stage_days

    from fct_opportunities
    left join dim_accounts
        on fct_opportunities.account_id = dim_accounts.account_id
    left join dim_sales_reps
        on fct_opportunities.sales_rep_id = dim_sales_reps.sales_rep_id
    left join stages
        on fct_opportunities.stage_name = stages.stage_name
    where not fct_opportunities.is_closed

)

select * from final
order by
    amount_usd desc nulls last,
    opportunity_id asc
