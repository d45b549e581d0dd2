{#- Tenures that share a rate. That of the last band holds for all later months. -#}
{%- set tenure_band -%}
case
            when tenure_months >= 25 then '25+'
            when tenure_months >= 13 then '13-24'
            when tenure_months >= 4 then '4-12'
            else '1-3'
        end
{%- endset -%}
{%- set last_tenure, months_ahead = 37, [var('ltv_max_months'), 12] | max -%}
{%- set first_step = "date '2000-01-01'" -%}
{%- set last_step = dbt.dateadd('month', last_tenure + months_ahead, first_step) -%}
{%- set has_churns = 'churned_account_count >= ' ~ var('least_churned_accounts') %}

{%- set tenures_ahead = '(partition by as_of_month, segment order by tenure_months)' -%}
{%- set year_ahead = '(partition by as_of_month, segment order by tenure_months'
    ~ ' rows between 1 following and 12 following)' -%}
{%- set life_ahead -%}
(
    partition by as_of_month, segment
    order by tenure_months
    rows between 1 following and {{ var('ltv_max_months') }} following
)
{%- endset -%}

with

int_account_tenures_monthly as (

    select * from {{ ref('int_account_tenures_monthly') }}

),

-- Whether an account with MRR still has any a month later is known at the end of that later month.
trials as (

    select
        next_month as known_month,
        segment,
        {{ tenure_band }} as tenure_band,
        count(*) as account_month_count,
        count(*) filter (where next_mrr_usd = 0) as churned_account_count,
        sum(closing_mrr_usd) as mrr_usd,
        coalesce(sum(closing_mrr_usd) filter (where next_mrr_usd = 0), 0) as lost_usd

    from int_account_tenures_monthly
    where closing_mrr_usd > 0 and next_mrr_usd is not null
    group by all

),

months as (

    select distinct known_month as as_of_month
    from trials

),

segments as (

    select distinct segment
    from int_account_tenures_monthly
    where closing_mrr_usd > 0
    union all
    select 'total' as segment

),

steps as (

    select {{ explode(date_series(first_step, last_step, 'month')) }} as step_month

),

numbers as (

    select
        cast(
            {{ dbt.datediff(first_step, 'step_month', 'month') }}
            as integer
        ) as tenure_months
    from steps
    where step_month > {{ first_step }}

),

tenures as (

    select
        tenure_months,
        {{ tenure_band }} as tenure_band
    from numbers

),

bands as (

    select distinct tenure_band
    from tenures

),

-- The four groups of accounts, from narrow to wide, of which the rate of a tenure may be.
bases as (

    {% for basis in ['segment_and_tenure', 'segment', 'tenure', 'total'] -%}
    select
        {{ loop.index }} as basis_number,
        '{{ basis }}' as rate_basis
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- A rate is computed from all trials that were known at the end of its month.
candidates as (

    select
        months.as_of_month,
        segments.segment,
        bands.tenure_band,
        bases.basis_number,
        bases.rate_basis,
        cast(coalesce(sum(trials.account_month_count), 0) as bigint) as account_month_count,
        cast(coalesce(sum(trials.churned_account_count), 0) as bigint) as churned_account_count,
        {{ ratio('coalesce(sum(trials.lost_usd), 0)', 'sum(trials.mrr_usd)') }}
            as monthly_churn_rate

    from months
    cross join segments
    cross join bands
    cross join bases
    left join trials
        on
            months.as_of_month >= trials.known_month
            and (bases.basis_number in (3, 4) or segments.segment = trials.segment)
            and (bases.basis_number in (2, 4) or bands.tenure_band = trials.tenure_band)
    where segments.segment != 'total' or bases.basis_number in (3, 4)
    group by all

),

-- The narrowest group in which enough accounts churned, else all accounts.
rates as (

    select
        as_of_month,
        segment,
        tenure_band,
        rate_basis,
        account_month_count,
        churned_account_count,
        round(least(monthly_churn_rate, 0.99), 10) as monthly_churn_rate
    from candidates
    qualify
        row_number() over (
            partition by as_of_month, segment, tenure_band
            order by case when {{ has_churns }} then basis_number else 9 - basis_number end
        ) = 1

),

survival as (

    select
        rates.as_of_month,
        rates.segment,
        tenures.tenure_months,
        tenures.tenure_band,
        rates.rate_basis,
        rates.account_month_count,
        rates.churned_account_count,
        rates.monthly_churn_rate,
        exp(coalesce(
            sum(ln(1 - rates.monthly_churn_rate)) over (
                partition by rates.as_of_month, rates.segment
                order by tenures.tenure_months
                rows between unbounded preceding and 1 preceding
            ),
            0
        )) as survival_rate,
        power(1 + {{ var('ltv_discount_rate') }}, {{ ratio('-tenures.tenure_months', 12) }})
            as discount_factor

    from rates
    inner join tenures
        on rates.tenure_band = tenures.tenure_band

),

-- Engines add doubles in different orders, so months, sums of many, have six places only.
final as (

    select
        as_of_month,
        segment,
        tenure_months,
        tenure_band,
        rate_basis,
        account_month_count,
        churned_account_count,
        monthly_churn_rate,
        round(survival_rate, 10) as survival_rate,
        round(
            {{ ratio('lead(survival_rate, 12) over ' ~ tenures_ahead, 'survival_rate') }}, 10
        ) as survival_12_rate,
        round({{ ratio('sum(survival_rate) over ' ~ year_ahead, 'survival_rate') }}, 6)
            as expected_12_months,
        round({{ ratio('sum(survival_rate) over ' ~ life_ahead, 'survival_rate') }}, 6)
            as expected_months,
        round({{ ratio(
            'sum(survival_rate * discount_factor) over ' ~ life_ahead,
            'survival_rate * discount_factor'
        ) }}, 6) as discounted_months

    from survival
    qualify tenure_months <= {{ last_tenure }}

)

select * from final
