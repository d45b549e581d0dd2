{#- On each side, in standard errors: eight of ten figures of a normal distribution are within. -#}
{%- set standard_errors = 1.2816 -%}
{#- Later tenures have the rates of this one. -#}
{%- set last_tenure = 25 -%}
{%- set horizon = dbt.datediff('horizons.as_of_month', 'horizons.forecast_month', 'month') -%}
{%- set forecast_usd -%}
(
            forecasts.surviving_mrr_usd
            + forecasts.expansion_mrr_usd
            + forecasts.pipeline_mrr_usd
            + forecasts.other_new_mrr_usd
        )
{%- endset -%}
{%- set half_width -%}
{{ standard_errors }} * sqrt(greatest(
            forecasts.chance_variance,
            power(cast({{ forecast_usd }} as double) * forecasts.horizon_months, 2)
            * coalesce({{ ratio('known_errors.squared_error', 'known_errors.error_count') }}, 0)
        ))
{%- endset -%}
{%- set kept_rate = ratio('later.survival_rate', 'today.survival_rate') %}

{%- set two_years = '(order by mrr_month rows between 23 preceding and current row)' -%}

with

fct_new_mrr_forecast as (

    select * from {{ ref('fct_new_mrr_forecast') }}

),

fct_revenue_retention_monthly as (

    select * from {{ ref('fct_revenue_retention_monthly') }}

),

fct_survival_monthly as (

    select * from {{ ref('fct_survival_monthly') }}

),

int_account_tenures_monthly as (

    select * from {{ ref('int_account_tenures_monthly') }}

),

months as (

    select
        mrr_month,
        closing_mrr_usd,
        lag(closing_mrr_usd, 12) over (order by mrr_month) as year_before_usd,
        mrr_month = max(mrr_month) over () as is_latest,
        round({{ ratio(
            'sum(expansion_mrr_usd + contraction_mrr_usd) over ' ~ two_years,
            'sum(opening_mrr_usd + churn_mrr_usd) over ' ~ two_years
        ) }}, 10) as expansion_rate,
        coalesce(
            var_samp(cast(new_mrr_usd + reactivation_mrr_usd as double)) over {{ two_years }}, 0
        ) as new_variance

    from fct_revenue_retention_monthly
    where segment = 'total' and is_month_closed

),

-- The variance is that of chance: each account stays or leaves.
surviving as (

    select
        paying.mrr_month as as_of_month,
        later.tenure_months - today.tenure_months as horizon_months,
        sum(paying.closing_mrr_usd * {{ kept_rate }}) as surviving_usd,
        sum(
            power(cast(paying.closing_mrr_usd as double), 2)
            * {{ kept_rate }} * (1 - {{ kept_rate }})
        ) as surviving_variance

    from int_account_tenures_monthly as paying
    inner join fct_survival_monthly as today
        on
            paying.mrr_month = today.as_of_month
            and paying.segment = today.segment
            and least(paying.tenure_months, {{ last_tenure }}) = today.tenure_months
    inner join fct_survival_monthly as later
        on
            today.as_of_month = later.as_of_month
            and today.segment = later.segment
            and later.tenure_months between today.tenure_months + 1 and today.tenure_months + 12
    where paying.tenure_months > 0
    group by all

),

-- What is new in a month churns like any account in its first months.
new_business as (

    select
        forecasts.as_of_month,
        forecasts.horizon_months + survival.tenure_months - 1 as horizon_months,
        sum(forecasts.pipeline_new_mrr_usd * survival.survival_rate) as pipeline_usd,
        sum(forecasts.other_new_mrr_usd * survival.survival_rate) as other_usd

    from fct_new_mrr_forecast as forecasts
    inner join fct_survival_monthly as survival
        on
            forecasts.as_of_month = survival.as_of_month
            and survival.segment = 'total'
            and forecasts.horizon_months + survival.tenure_months <= 13
    group by all

),

horizons as (

    select
        mrr_month as as_of_month,
        closing_mrr_usd,
        cast(closing_mrr_usd - year_before_usd as decimal(28, 6)) as year_growth_usd,
        is_latest,
        coalesce(expansion_rate, 0) as expansion_rate,
        new_variance,
        {{ explode(date_series(
            'mrr_month', 'cast(' ~ dbt.dateadd('month', 12, 'mrr_month') ~ ' as date)', 'month'
        )) }} as forecast_month
    from months
    where year_before_usd is not null

),

-- At a horizon of 0 nothing has happened yet, and where no churn can be known, none is expected.
forecasts as (

    select
        horizons.as_of_month,
        horizons.forecast_month,
        cast({{ horizon }} as integer) as horizon_months,
        horizons.is_latest,
        horizons.closing_mrr_usd,
        cast(coalesce(surviving.surviving_usd, horizons.closing_mrr_usd) as decimal(28, 6))
            as surviving_mrr_usd,
        cast(
            coalesce(surviving.surviving_usd, 0)
            * (power(1 + horizons.expansion_rate, {{ horizon }}) - 1) as decimal(28, 6)
        ) as expansion_mrr_usd,
        cast(coalesce(new_business.pipeline_usd, 0) as decimal(28, 6)) as pipeline_mrr_usd,
        cast(coalesce(new_business.other_usd, 0) as decimal(28, 6)) as other_new_mrr_usd,
        coalesce(surviving.surviving_variance, 0)
        * power(1 + horizons.expansion_rate, 2 * {{ horizon }})
        + {{ horizon }} * horizons.new_variance as chance_variance,
        horizons.year_growth_usd,
        months.closing_mrr_usd as actual_mrr_usd

    from horizons
    left join surviving
        on
            horizons.as_of_month = surviving.as_of_month
            and {{ horizon }} = surviving.horizon_months
    left join new_business
        on
            horizons.as_of_month = new_business.as_of_month
            and {{ horizon }} = new_business.horizon_months
    left join months
        on horizons.forecast_month = months.mrr_month

),

-- Errors of earlier forecasts widen the later ones. They grow with the horizon.
known_errors as (

    select
        forecasts.forecast_month as as_of_month,
        sum(count(*)) over (order by forecasts.forecast_month) as error_count,
        sum(sum(power({{ ratio(
            'forecasts.actual_mrr_usd - ' ~ forecast_usd,
            forecast_usd ~ ' * forecasts.horizon_months'
        ) }}, 2))) over (order by forecasts.forecast_month) as squared_error
    from forecasts
    where forecasts.horizon_months > 0 and forecasts.actual_mrr_usd is not null
    group by forecasts.forecast_month

),

final as (

    select
        forecasts.as_of_month,
        forecasts.forecast_month,
        forecasts.horizon_months,
        forecasts.is_latest,
        cast(forecasts.closing_mrr_usd as decimal(28, 6)) as closing_mrr_usd,
        forecasts.surviving_mrr_usd,
        forecasts.expansion_mrr_usd,
        forecasts.pipeline_mrr_usd,
        forecasts.other_new_mrr_usd,
        cast({{ forecast_usd }} as decimal(28, 6)) as forecast_mrr_usd,
        cast(greatest({{ forecast_usd }} - {{ half_width }}, 0) as decimal(28, 6))
            as low_mrr_usd,
        cast({{ forecast_usd }} + {{ half_width }} as decimal(28, 6)) as high_mrr_usd,
        cast(coalesce(known_errors.error_count, 0) as integer) as past_error_count,
        cast(
            forecasts.closing_mrr_usd
            + {{ prorate('forecasts.year_growth_usd', 'forecasts.horizon_months', 12) }}
            as decimal(28, 6)
        ) as naive_mrr_usd,
        cast(forecasts.actual_mrr_usd as decimal(28, 6)) as actual_mrr_usd

    from forecasts
    left join known_errors
        on forecasts.as_of_month = known_errors.as_of_month

)

select * from final
