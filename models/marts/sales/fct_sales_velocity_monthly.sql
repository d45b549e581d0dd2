with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

fct_pipeline_monthly as (

    select * from {{ ref('fct_pipeline_monthly') }}

),

fct_opportunities as (

    select * from {{ ref('fct_opportunities') }}

),

facts as (

    select
        account_id,
        pipeline_month as sales_month,
        1 as open_count,
        0 as won_count,
        0 as lost_count,
        cast(null as decimal(28, 6)) as won_usd,
        cast(null as bigint) as sales_cycle_days
    from fct_pipeline_monthly

    union all

    select
        account_id,
        close_month as sales_month,
        0 as open_count,
        cast(is_won as integer) as won_count,
        cast(is_lost as integer) as lost_count,
        case when is_won then amount_usd end as won_usd,
        case when sales_cycle_days >= 0 then sales_cycle_days end as sales_cycle_days
    from fct_opportunities
    where is_closed

),

-- Every deal counts twice: in its account's current segment and in the total.
segmented as (

    select
        facts.sales_month,
        facts.open_count,
        facts.won_count,
        facts.lost_count,
        facts.won_usd,
        facts.sales_cycle_days,
        coalesce(dim_accounts.segment, 'unknown') as segment
    from facts
    left join dim_accounts
        on facts.account_id = dim_accounts.account_id

    union all

    select
        facts.sales_month,
        facts.open_count,
        facts.won_count,
        facts.lost_count,
        facts.won_usd,
        facts.sales_cycle_days,
        'total' as segment
    from facts

),

segments as (

    select
        segmented.segment,
        {{ explode(date_series(
            'min(segmented.sales_month)',
            month_start('max(int_as_of.as_of_date)'),
            'month'
        )) }} as sales_month
    from segmented
    cross join int_as_of
    group by segmented.segment

),

monthly as (

    select
        segments.segment,
        segments.sales_month,
        coalesce(sum(segmented.open_count), 0) as open_count,
        coalesce(sum(segmented.won_count), 0) as won_count,
        coalesce(sum(segmented.lost_count), 0) as lost_count,
        count(segmented.won_usd) as valued_count,
        coalesce(sum(segmented.won_usd), 0) as won_usd,
        count(segmented.sales_cycle_days) as cycle_count,
        coalesce(sum(segmented.sales_cycle_days), 0) as cycle_days

    from segments
    left join segmented
        on
            segments.segment = segmented.segment
            and segments.sales_month = segmented.sales_month
    group by
        segments.segment,
        segments.sales_month

),

trailing_quarters as (

    select
        segment,
        sales_month,
        {%- for column in (
            'won_count', 'lost_count', 'valued_count', 'won_usd', 'cycle_count', 'cycle_days'
        ) %}
        sum({{ column }}) over (
            partition by segment
            order by sales_month
            rows between 2 preceding and current row
        ) as {{ column }},
        {%- endfor %}
        open_count

    from monthly

),

rates as (

    select
        segment,
        sales_month,
        open_count,
        won_count,
        lost_count,
        {{ ratio('won_count', 'won_count + lost_count') }} as win_rate,
        {{ ratio('won_usd', 'valued_count') }} as average_won,
        {{ ratio('cycle_days', 'cycle_count') }} as average_cycle_days

    from trailing_quarters

),

final as (

    select
        rates.sales_month,
        rates.segment,
        {{ is_month_closed('rates.sales_month', 'int_as_of.as_of_date') }} as is_month_closed,
        cast(rates.open_count as integer) as open_opportunity_count,
        cast(rates.won_count as integer) as won_count,
        cast(rates.lost_count as integer) as lost_count,
        rates.win_rate,
        cast(rates.average_won as decimal(28, 6)) as average_won_usd,
        rates.average_cycle_days,
        cast({{ ratio(
            'rates.open_count * rates.win_rate * rates.average_won', 'rates.average_cycle_days'
        ) }} as decimal(28, 6)) as velocity_usd

    from rates
    cross join int_as_of

)

select * from final
