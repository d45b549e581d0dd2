{#- Later tenures have the rates of this one. -#}
{%- set last_tenure = 25 %}

{%- set year_ahead = '(partition by account_id order by mrr_month'
    ~ ' rows between 1 following and 12 following)' -%}

with

fct_survival_monthly as (

    select * from {{ ref('fct_survival_monthly') }}

),

int_account_tenures_monthly as (

    select * from {{ ref('int_account_tenures_monthly') }}

),

-- A year that is not over has no actual figure.
tenures as (

    select
        account_id,
        mrr_month,
        segment,
        tenure_months,
        closing_mrr_usd,
        mrr_month = max(mrr_month) over () as is_latest,
        case
            when count(*) over {{ year_ahead }} = 12 then sum(closing_mrr_usd) over {{ year_ahead }}
        end as actual_12_months_usd

    from int_account_tenures_monthly

),

final as (

    select
        tenures.account_id,
        tenures.mrr_month as as_of_month,
        tenures.is_latest,
        tenures.segment,
        tenures.tenure_months,
        tenures.closing_mrr_usd,
        survival.monthly_churn_rate,
        survival.rate_basis,
        coalesce(survival.rate_basis != 'segment_and_tenure', true) as is_wider_basis,
        survival.churned_account_count,
        survival.survival_12_rate,
        survival.expected_months,
        case
            when survival.churned_account_count >= {{ var('least_churned_accounts') }}
                then {{ rounded_product(
                    'tenures.closing_mrr_usd',
                    'cast(' ~ var('gross_margin_rate')
                    ~ ' * survival.discounted_months as decimal(16, 10))'
                ) }}
        end as ltv_usd,
        {{ rounded_product(
            'tenures.closing_mrr_usd', 'cast(survival.expected_12_months as decimal(16, 10))'
        ) }} as expected_12_months_usd,
        cast(tenures.actual_12_months_usd as decimal(28, 6)) as actual_12_months_usd

    from tenures
    left join fct_survival_monthly as survival
        on
            tenures.mrr_month = survival.as_of_month
            and tenures.segment = survival.segment
            and least(tenures.tenure_months, {{ last_tenure }}) = survival.tenure_months
    where tenures.closing_mrr_usd > 0

)

select * from final
