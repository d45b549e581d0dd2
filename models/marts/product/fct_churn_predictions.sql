with

fct_churn_features as (

    select * from {{ ref('fct_churn_features') }}

),

fct_churn_inputs as (

    select * from {{ ref('fct_churn_inputs') }}

),

stg_predict__churn_coefficients as (

    select * from {{ ref('stg_predict__churn_coefficients') }}

),

origins as (

    select distinct origin_month
    from stg_predict__churn_coefficients

),

-- A month is scored with what was known at its end.
accounts as (

    select
        features.account_id,
        features.feature_month,
        case when features.is_ending then 'ending' else 'open' end as account_group,
        features.is_cancel_scheduled,
        features.closing_mrr_usd,
        features.outcome,
        features.churned_month,
        max(origins.origin_month) as origin_month

    from fct_churn_features as features
    inner join origins
        on features.feature_month >= origins.origin_month
    group by all

),

weighted as (

    select
        accounts.account_id,
        accounts.feature_month,
        coefficients.replicate_number,
        coefficients.feature_name,
        inputs.statement,
        coalesce(
            coefficients.coefficient
            * {{ ratio('(inputs.input_value - coefficients.centre)', 'coefficients.scale') }},
            0
        ) as contribution

    from accounts
    inner join stg_predict__churn_coefficients as coefficients
        on
            accounts.origin_month = coefficients.origin_month
            and accounts.account_group = coefficients.account_group
    inner join fct_churn_inputs as inputs
        on
            accounts.account_id = inputs.account_id
            and accounts.feature_month = inputs.feature_month
            and coefficients.feature_name = inputs.feature_name

),

-- The digits beyond the ninth depend on the order in which an engine adds.
probabilities as (

    select
        account_id,
        feature_month,
        replicate_number,
        round({{ ratio(1, '1 + exp(-sum(contribution))') }}, 9) as probability

    from weighted
    group by
        account_id,
        feature_month,
        replicate_number

),

scores as (

    select
        account_id,
        feature_month,
        max(probability) filter (where replicate_number = 0) as churn_probability,
        round({{ percentile('case when replicate_number > 0 then probability end', 0.05) }}, 9)
            as low_probability,
        round({{ percentile('case when replicate_number > 0 then probability end', 0.95) }}, 9)
            as high_probability

    from probabilities
    group by
        account_id,
        feature_month

),

raised as (

    select
        account_id,
        feature_month,
        statement,
        row_number() over (
            partition by account_id, feature_month
            order by round(contribution, 9) desc, feature_name
        ) as driver_number

    from weighted
    where
        replicate_number = 0
        and feature_name != 'intercept'
        and contribution > 0

),

drivers as (

    select
        account_id,
        feature_month,
        max(statement) filter (where driver_number = 1) as first_driver,
        max(statement) filter (where driver_number = 2) as second_driver,
        max(statement) filter (where driver_number = 3) as third_driver

    from raised
    group by
        account_id,
        feature_month

),

models as (

    select distinct
        origin_month,
        account_group,
        model_version,
        trained_through_month,
        churn_count,
        method

    from stg_predict__churn_coefficients

),

newest as (

    select max(feature_month) as newest_month
    from fct_churn_features

),

final as (

    select
        accounts.account_id,
        accounts.feature_month as prediction_month,
        accounts.feature_month = newest.newest_month as is_newest,
        accounts.account_group,
        accounts.is_cancel_scheduled,
        scores.churn_probability,
        scores.low_probability,
        scores.high_probability,
        drivers.first_driver,
        drivers.second_driver,
        drivers.third_driver,
        accounts.closing_mrr_usd,
        {{ rounded_product(
            'accounts.closing_mrr_usd', 'cast(scores.churn_probability as decimal(16, 10))'
        ) }} as expected_loss_usd,
        models.method = 'base_rate' as is_base_rate,
        models.model_version,
        models.origin_month,
        models.trained_through_month,
        models.churn_count,
        accounts.outcome,
        accounts.churned_month

    from accounts
    cross join newest
    inner join scores
        on
            accounts.account_id = scores.account_id
            and accounts.feature_month = scores.feature_month
    inner join models
        on
            accounts.origin_month = models.origin_month
            and accounts.account_group = models.account_group
    left join drivers
        on
            accounts.account_id = drivers.account_id
            and accounts.feature_month = drivers.feature_month

)

select * from final
