-- Proves that win rate, average deal and cycle of all deals are those of the deals that closed in a
-- month or in the two before it, and that velocity follows from them. A window of another length
-- has rates between 0 and 1 as well, and deals without an amount or a cycle would lower an average
-- that counts them.
with

deals as (

    select
        is_won,
        is_lost,
        close_month,
        case when is_won then amount_usd end as won_usd,
        case when sales_cycle_days >= 0 then sales_cycle_days end as sales_cycle_days
    from {{ ref('fct_opportunities') }}
    where is_closed

),

quarters as (

    select
        velocity.sales_month,
        count(*) filter (where deals.is_won) as won_count,
        count(*) filter (where deals.is_won or deals.is_lost) as decided_count,
        avg(cast(deals.won_usd as double)) as average_won_usd,
        avg(cast(deals.sales_cycle_days as double)) as average_cycle_days

    from {{ ref('fct_sales_velocity_monthly') }} as velocity
    inner join deals
        on
            velocity.sales_month >= deals.close_month
            and velocity.sales_month < {{ dbt.dateadd('month', 3, 'deals.close_month') }}
    where velocity.segment = 'total'
    group by velocity.sales_month

),

expected as (

    select
        velocity.sales_month,
        velocity.win_rate,
        velocity.average_won_usd,
        velocity.average_cycle_days,
        velocity.velocity_usd,
        {{ ratio('quarters.won_count', 'quarters.decided_count') }} as expected_win_rate,
        quarters.average_won_usd as expected_average_won_usd,
        quarters.average_cycle_days as expected_average_cycle_days,
        {{ ratio(
            'velocity.open_opportunity_count * quarters.average_won_usd * quarters.won_count',
            'quarters.average_cycle_days * quarters.decided_count'
        ) }} as expected_velocity_usd

    from {{ ref('fct_sales_velocity_monthly') }} as velocity
    left join quarters
        on velocity.sales_month = quarters.sales_month
    where velocity.segment = 'total'

)

select *
from expected
where
    abs(coalesce(win_rate, 0) - coalesce(expected_win_rate, 0)) > 0.00001
    or abs(coalesce(average_won_usd, 0) - coalesce(expected_average_won_usd, 0)) > 0.00001
    or abs(coalesce(average_cycle_days, 0) - coalesce(expected_average_cycle_days, 0)) > 0.00001
    or abs(coalesce(velocity_usd, 0) - coalesce(expected_velocity_usd, 0)) > 0.00001
