-- Which lead sources win, over the last twelve months, and what is it worth?
with

fct_opportunities as (

    select * from {{ ref('fct_opportunities') }}

),

latest as (

    select max(close_month) as close_month
    from fct_opportunities
    where is_closed

),

final as (

    select
        coalesce(fct_opportunities.lead_source, '(none)') as lead_source,
        count(*) filter (where fct_opportunities.is_won) as won_count,
        count(*) filter (where fct_opportunities.is_lost) as lost_count,
        {{ ratio('count(*) filter (where fct_opportunities.is_won)', 'count(*)') }} as win_rate,
        sum(fct_opportunities.amount_usd) filter (where fct_opportunities.is_won) as won_usd,
        {{ percentile(
            'case when fct_opportunities.is_won then fct_opportunities.sales_cycle_days end', 0.5
        ) }} as median_won_cycle_days

    from fct_opportunities
    cross join latest
    where
        fct_opportunities.is_closed
        and fct_opportunities.close_month > {{ dbt.dateadd('month', -12, 'latest.close_month') }}
    group by lead_source

)

select * from final
order by
    won_usd desc nulls last,
    lead_source asc
