{#- What the model reads, and how a person would say it. Large values are capped where more of the
    same says no more. An unknown value is null and counts as the average. -#}
{%- set percent = "cast(cast(round(100 * {}) as integer) as string)" -%}
{%- set count = "cast({} as string)" -%}
{%- set inputs = {
    'intercept': ['1', "'All accounts'"],
    'idle': [
        'case when has_usage_data then ln(1 + least(coalesce(days_since_active, 90), 90)) end',
        "coalesce('No use for ' || " ~ count.format('days_since_active')
        ~ " || ' days', 'No use since it began to pay')",
    ],
    'trend': [
        'case when has_usage_data then least(coalesce(usage_trend_rate, '
        ~ 'case when event_count = 0 then 0 end), 2) end',
        "coalesce('Use at ' || " ~ percent.format('usage_trend_rate')
        ~ " || ' % of the three months before', 'No use')",
    ],
    'users_to_peak': [
        'case when has_usage_data then coalesce(users_to_peak_rate, 0) end',
        "'Active users at ' || " ~ percent.format('coalesce(users_to_peak_rate, 0)')
        ~ " || ' % of their half-year peak'",
    ],
    'features': [
        'case when has_usage_data then ln(1 + feature_count) end',
        "'Features used: ' || " ~ count.format('feature_count'),
    ],
    'active_days': [
        'case when has_usage_data then ln(1 + active_day_count) end',
        "'Days of use in the month: ' || " ~ count.format('active_day_count'),
    ],
    'tenure': [
        'ln(tenure_months)',
        "'Months as a customer: ' || " ~ count.format('tenure_months'),
    ],
    'renewal': [
        'case when months_to_renewal <= 3 then 1 else 0 end',
        "case when term_months = 1 then 'Pays by the month' else 'Months to renewal: ' || "
        ~ count.format('months_to_renewal') ~ " end",
    ],
    'mrr': [
        'ln(1 + cast(closing_mrr_usd as double))',
        "'Pays ' || " ~ count.format('cast(round(closing_mrr_usd) as integer)')
        ~ " || ' USD a month'",
    ],
    'past_due': [
        'case when is_past_due or past_due_usd > 0 then 1 else 0 end',
        "case when is_past_due or past_due_usd > 0 then 'A payment is past due' "
        ~ "else 'No payment is past due' end",
    ],
    'failed_payments': [
        'least(failed_payment_count, 3)',
        "'Failed payments in three months: ' || " ~ count.format('failed_payment_count'),
    ],
} %}

with

fct_churn_features as (

    select * from {{ ref('fct_churn_features') }}

),

final as (

    {% for feature_name, (value, statement) in inputs.items() -%}
    select
        account_id,
        feature_month,
        '{{ feature_name }}' as feature_name,
        cast({{ value }} as double) as input_value,
        case
            when {{ value }} is null then 'Unknown, which counts as the average'
            else {{ statement }}
        end as statement
    from fct_churn_features
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select * from final
