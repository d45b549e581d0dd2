with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

spans as (

    select
        int_opportunity_states.*,
        {{ month_start('int_opportunity_states.valid_from_at') }} as first_month,
        case
            when int_opportunity_states.valid_to_at is null
                then {{ month_start('int_as_of.as_of_date') }}
            else cast(
                    {{ dbt.dateadd(
                        'month', -1, month_start('int_opportunity_states.valid_to_at')
                    ) }} as date
                )
        end as last_month

    from int_opportunity_states
    cross join int_as_of
    where int_opportunity_states.is_in_pipeline

),

final as (

    select
        spans.opportunity_id,
        {{ explode(date_series(
            'spans.first_month',
            'spans.last_month',
            'month'
        )) }} as pipeline_month,
        int_opportunities_valued.account_id,
        spans.sales_rep_id,
        spans.forecast_category,
        spans.close_date,
        spans.amount_usd,
        cast(spans.amount_usd * spans.probability_rate as decimal(28, 6)) as weighted_usd

    from spans
    left join int_opportunities_valued
        on spans.opportunity_id = int_opportunities_valued.opportunity_id
    where spans.first_month <= spans.last_month

)

select * from final
