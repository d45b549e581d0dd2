with

source as (

    select * from {{ source('predict', 'churn_coefficients') }}

),

final as (

    select
        model_version,
        origin_month,
        trained_through_month,
        account_group,
        method,
        example_count,
        churn_count,
        replicate_number,
        feature_name,
        coefficient,
        centre,
        scale

    from source

)

select * from final
