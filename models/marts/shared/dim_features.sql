with

features as (

    select * from {{ ref('features') }}

),

final as (

    select
        feature_key,
        feature_name,
        feature_group,
        tool_key,
        introduced_on as introduced_date,
        tool_key is not null as is_tool

    from features

)

select * from final
