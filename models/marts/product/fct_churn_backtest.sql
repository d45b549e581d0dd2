{#- A churn is the outcome of up to this many months in a row of the same account. -#}
{%- set horizon_months, never_active_days = 3, 9999 %}
{%- set scores = {
    'model': 'churn_probability',
    'hand_score': 'churn_risk_score',
    'days_idle': 'days_since_active',
} %}

{%- set from_the_top = '(partition by account_scope, score_name order by score desc'
    ~ ' rows between unbounded preceding and current row)' -%}

with

fct_account_health as (

    select * from {{ ref('fct_account_health') }}

),

fct_churn_predictions as (

    select * from {{ ref('fct_churn_predictions') }}

),

scopes as (

    select 'all' as account_scope

    union all

    select 'open' as account_scope

),

-- All scores are compared on the same accounts, in the months that have a model of open accounts.
judged as (

    select
        scopes.account_scope,
        predictions.account_id,
        predictions.prediction_month,
        predictions.churn_probability,
        health.churn_risk_score,
        coalesce(health.days_since_active, {{ never_active_days }}) as days_since_active,
        case when predictions.outcome = 'churned' then 1 else 0 end as churned

    from fct_churn_predictions as predictions
    inner join scopes
        on scopes.account_scope in ('all', predictions.account_group)
    inner join fct_account_health as health
        on
            predictions.account_id = health.account_id
            and predictions.prediction_month = health.health_month
    where predictions.outcome != 'unknown'
    qualify
        count(*) filter (where predictions.account_group = 'open' and not predictions.is_base_rate)
            over (partition by predictions.prediction_month)
        > 0

),

scored as (

    {% for score_name, column in scores.items() -%}
    select
        account_scope,
        account_id,
        prediction_month,
        '{{ score_name }}' as score_name,
        cast({{ column }} as double) as score,
        {{ 'churn_probability' if score_name == 'model' else 'cast(null as double)' }}
            as probability,
        churned
    from judged
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

-- From the highest score down, how many rows and churns a list down to this score holds.
thresholds as (

    select
        account_scope,
        score_name,
        count(*) as row_count,
        sum(churned) as churned_count,
        sum(count(*)) over {{ from_the_top }} as listed_count,
        sum(sum(churned)) over {{ from_the_top }} as listed_churned_count

    from scored
    group by
        account_scope,
        score_name,
        score

),

-- Of two accounts with the same score, each is ranked first half the time.
rankings as (

    select
        account_scope,
        score_name,
        1 - {{ ratio(
            'sum(churned_count * (listed_count - listed_churned_count'
            ~ ' - 0.5 * (row_count - churned_count)))',
            'sum(churned_count) * sum(row_count - churned_count)'
        ) }} as auc,
        {{ ratio(
            'sum(churned_count * ' ~ ratio('listed_churned_count', 'listed_count') ~ ')',
            'sum(churned_count)'
        ) }} as pr_auc

    from thresholds
    group by
        account_scope,
        score_name

),

placed as (

    select
        account_scope,
        score_name,
        prediction_month,
        score,
        probability,
        churned,
        ntile(5) over (
            partition by account_scope, score_name
            order by score, account_id, prediction_month
        ) as fifth_number,
        row_number() over (
            partition by account_scope, score_name, prediction_month
            order by score desc, account_id asc
        ) <= greatest(round(0.1 * count(*) over (
            partition by account_scope, score_name, prediction_month
        )), 1) as is_in_top_tenth

    from scored

),

parts as (

    select 0 as is_fifth

    union all

    select 1 as is_fifth

),

measured as (

    select
        placed.account_scope,
        placed.score_name,
        placed.fifth_number * parts.is_fifth as fifth_number,
        min(placed.prediction_month) as first_month,
        max(placed.prediction_month) as last_month,
        count(*) as account_month_count,
        sum(placed.churned) as churned_count,
        avg(placed.score) as mean_score,
        avg(placed.probability) as mean_probability,
        avg(placed.churned) as churn_rate,
        sqrt({{ horizon_months }} * sum(placed.probability * (1 - placed.probability))) as spread,
        avg(power(placed.probability - placed.churned, 2)) as brier_score,
        avg(placed.churned) filter (where placed.is_in_top_tenth) as top_tenth_churn_rate

    from placed
    cross join parts
    group by
        placed.account_scope,
        placed.score_name,
        placed.fifth_number * parts.is_fifth

),

-- The digits beyond the ninth depend on the order in which an engine adds.
final as (

    select
        measured.account_scope,
        measured.score_name,
        cast(measured.fifth_number as integer) as fifth_number,
        measured.first_month,
        measured.last_month,
        cast(measured.account_month_count as integer) as account_month_count,
        cast(measured.churned_count as integer) as churned_count,
        round(measured.mean_score, 9) as mean_score,
        round(measured.mean_probability, 9) as mean_probability,
        round(measured.churn_rate, 9) as churn_rate,
        round({{ ratio('measured.spread', 'measured.account_month_count') }}, 9)
            as standard_error,
        round(measured.brier_score, 9) as brier_score,
        round(case when measured.fifth_number = 0 then rankings.auc end, 9) as auc,
        round(case when measured.fifth_number = 0 then rankings.pr_auc end, 9) as pr_auc,
        round(case when measured.fifth_number = 0 then {{ ratio(
            'measured.top_tenth_churn_rate', 'measured.churn_rate'
        ) }} end, 9) as lift_at_tenth

    from measured
    inner join rankings
        on
            measured.account_scope = rankings.account_scope
            and measured.score_name = rankings.score_name

)

select * from final
