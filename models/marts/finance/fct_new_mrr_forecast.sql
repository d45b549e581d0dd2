{%- set one_year = '(partition by horizon_months order by mrr_month'
    ~ ' rows between 11 preceding and current row)' -%}

with

fct_pipeline_monthly as (

    select * from {{ ref('fct_pipeline_monthly') }}

),

int_account_tenures_monthly as (

    select * from {{ ref('int_account_tenures_monthly') }}

),

-- An account in its first month of tenure is new or back.
months as (

    select
        mrr_month,
        min(mrr_month) over () as first_month,
        coalesce(sum(closing_mrr_usd) filter (where tenure_months = 1), 0) as new_mrr_usd
    from int_account_tenures_monthly
    group by mrr_month

),

-- Deals of accounts that pay already are renewals and expansions.
open_deals as (

    select
        deals.account_id,
        deals.pipeline_month,
        sum(coalesce(deals.amount_usd, 0)) as pipeline_usd

    from fct_pipeline_monthly as deals
    left join int_account_tenures_monthly as paying
        on
            deals.account_id = paying.account_id
            and deals.pipeline_month = paying.mrr_month
            and paying.tenure_months > 0
    where paying.account_id is null
    group by
        deals.account_id,
        deals.pipeline_month

),

pipelines as (

    select
        pipeline_month,
        sum(pipeline_usd) as pipeline_usd
    from open_deals
    group by pipeline_month

),

recording as (

    select min(pipeline_month) as first_pipeline_month
    from pipelines

),

won as (

    select
        open_deals.pipeline_month,
        entries.mrr_month,
        sum(entries.closing_mrr_usd) as won_usd

    from int_account_tenures_monthly as entries
    inner join open_deals
        on
            entries.account_id = open_deals.account_id
            and entries.mrr_month > open_deals.pipeline_month
            and entries.mrr_month <= {{ dbt.dateadd('month', 12, 'open_deals.pipeline_month') }}
    where entries.tenure_months = 1
    group by
        open_deals.pipeline_month,
        entries.mrr_month

),

-- Each pair of months up to twelve apart: the open deals of one, and the new MRR of the other.
pairs as (

    select
        months.mrr_month,
        cast(
            {{ dbt.datediff('bases.mrr_month', 'months.mrr_month', 'month') }}
            as integer
        ) as horizon_months,
        months.new_mrr_usd,
        coalesce(pipelines.pipeline_usd, 0) as pipeline_usd,
        coalesce(won.won_usd, 0) as won_usd

    from months
    inner join months as bases
        on
            months.mrr_month > bases.mrr_month
            and months.mrr_month <= {{ dbt.dateadd('month', 12, 'bases.mrr_month') }}
    inner join recording
        on bases.mrr_month >= recording.first_pipeline_month
    left join pipelines
        on bases.mrr_month = pipelines.pipeline_month
    left join won
        on
            bases.mrr_month = won.pipeline_month
            and months.mrr_month = won.mrr_month

),

yields as (

    select
        mrr_month,
        horizon_months,
        round(
            {{ ratio('sum(won_usd) over ' ~ one_year, 'sum(pipeline_usd) over ' ~ one_year) }}, 10
        ) as pipeline_yield_rate,
        round({{ ratio(
            'sum(new_mrr_usd - won_usd) over ' ~ one_year, 'sum(pipeline_usd) over ' ~ one_year
        ) }}, 10) as other_yield_rate
    from pairs

),

averages as (

    select
        mrr_month,
        first_month,
        avg(cast(new_mrr_usd as double)) over (
            order by mrr_month rows between 11 preceding and current row
        ) as average_new_mrr_usd
    from months

),

as_of_months as (

    select
        mrr_month as as_of_month,
        first_month,
        average_new_mrr_usd,
        {{ explode(date_series(
            'cast(' ~ dbt.dateadd('month', 1, 'mrr_month') ~ ' as date)',
            'cast(' ~ dbt.dateadd('month', 12, 'mrr_month') ~ ' as date)',
            'month'
        )) }} as forecast_month
    from averages

),

-- Without open deals, then or now, all new MRR is expected to be as it was on average.
forecasts as (

    select
        as_of_months.as_of_month,
        as_of_months.forecast_month,
        {{ dbt.datediff('as_of_months.as_of_month', 'as_of_months.forecast_month', 'month') }}
            as horizon_months,
        coalesce(pipelines.pipeline_usd, 0) as pipeline_usd,
        coalesce(yields.pipeline_yield_rate, 0) as pipeline_yield_rate,
        case when pipelines.pipeline_usd > 0 then yields.other_yield_rate end as other_yield_rate,
        as_of_months.average_new_mrr_usd

    from as_of_months
    left join pipelines
        on as_of_months.as_of_month = pipelines.pipeline_month
    left join yields
        on
            as_of_months.as_of_month = yields.mrr_month
            and {{ dbt.datediff(
                'as_of_months.as_of_month', 'as_of_months.forecast_month', 'month'
            ) }} = yields.horizon_months
    where as_of_months.as_of_month >= {{ dbt.dateadd('month', 12, 'as_of_months.first_month') }}

),

final as (

    select
        forecasts.as_of_month,
        forecasts.forecast_month,
        cast(forecasts.horizon_months as integer) as horizon_months,
        cast(forecasts.pipeline_usd as decimal(28, 6)) as pipeline_usd,
        forecasts.pipeline_yield_rate,
        {{ rounded_product(
            'forecasts.pipeline_usd', 'cast(forecasts.pipeline_yield_rate as decimal(16, 10))'
        ) }} as pipeline_new_mrr_usd,
        forecasts.other_yield_rate,
        cast(
            coalesce(
                forecasts.pipeline_usd * forecasts.other_yield_rate, forecasts.average_new_mrr_usd
            ) as decimal(28, 6)
        ) as other_new_mrr_usd,
        cast(months.new_mrr_usd as decimal(28, 6)) as actual_new_mrr_usd

    from forecasts
    left join months
        on forecasts.forecast_month = months.mrr_month

)

select * from final
