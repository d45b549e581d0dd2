-- Which deals are open, or were closed in the last 90 days, after their close date was pushed?
with

fct_opportunities as (

    select * from {{ ref('fct_opportunities') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

dim_dates as (

    select * from {{ ref('dim_dates') }}

),

dim_sales_reps as (

    select * from {{ ref('dim_sales_reps') }}

),

as_of as (

    select max(calendar_date) as as_of_date
    from dim_dates
    where not is_after_as_of

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
        fct_opportunities.amount_usd,
        fct_opportunities.close_date,
        fct_opportunities.push_count,
        fct_opportunities.pushed_days,
        fct_opportunities.is_closed

    from fct_opportunities
    cross join as_of
    left join dim_accounts
        on fct_opportunities.account_id = dim_accounts.account_id
    left join dim_sales_reps
        on fct_opportunities.sales_rep_id = dim_sales_reps.sales_rep_id
    where
        fct_opportunities.push_count > 0
        and (
            not fct_opportunities.is_closed
            or fct_opportunities.close_date > {{ dbt.dateadd('day', -90, 'as_of.as_of_date') }}
        )

)

select * from final
order by
    is_closed asc,
    amount_usd desc nulls last,
    opportunity_id asc
