with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

),

-- The days at whose end each state was valid. The lower bound stops a wrong clock from adding
-- decades.
pipeline_intervals as (

    select
        int_opportunity_states.stage_name,
        int_opportunity_states.sales_rep_id,
        int_opportunity_states.forecast_category,
        int_opportunity_states.close_date,
        int_opportunity_states.amount_usd,
        case
            when coalesce(int_opportunity_states.amount, 0) = 0 then 0
            else int_opportunity_states.amount_usd
        end as pipeline_usd,
        int_opportunity_states.weighted_usd,
        greatest(
            cast(int_opportunity_states.valid_from_at as date), cast('1990-01-01' as date)
        ) as first_date,
        case
            when int_opportunity_states.valid_to_at is null then int_as_of.as_of_date
            else cast(
                    {{ dbt.dateadd(
                        'day', -1, 'cast(int_opportunity_states.valid_to_at as date)'
                    ) }} as date
                )
        end as last_date

    from int_opportunity_states
    cross join int_as_of
    where int_opportunity_states.is_in_pipeline

),

days as (

    select
        {{ explode(date_series('first_date', 'last_date', 'day')) }} as pipeline_date,
        stage_name,
        sales_rep_id,
        forecast_category,
        close_date,
        amount_usd,
        pipeline_usd,
        case when pipeline_usd is not null then coalesce(weighted_usd, 0) end as weighted_usd

    from pipeline_intervals
    where first_date <= last_date

),

summed as (

    select
        pipeline_date,
        stage_name,
        sales_rep_id,
        count(*) as opportunity_count,
        count(*) filter (where amount_usd is null) as unvalued_opportunity_count,
        sum(pipeline_usd) as amount_usd,
        sum(weighted_usd) as weighted_usd,
        {%- for category, column in {
            'Pipeline': 'pipeline_category',
            'BestCase': 'best_case',
            'MostLikely': 'most_likely',
            'Forecast': 'commit',
            'Omitted': 'omitted',
        }.items() %}
        coalesce(
            sum(pipeline_usd) filter (where forecast_category = '{{ category }}'),
            case when count(*) filter (where forecast_category = '{{ category }}') = 0 then 0 end
        ) as {{ column }}_usd,
        {%- endfor %}
        coalesce(
            sum(pipeline_usd) filter (where close_date < pipeline_date),
            case when count(*) filter (where close_date < pipeline_date) = 0 then 0 end
        ) as overdue_usd

    from days
    group by
        pipeline_date,
        stage_name,
        sales_rep_id

),

final as (

    select
        summed.pipeline_date,
        coalesce(summed.stage_name, 'Unknown') as stage_name,
        summed.sales_rep_id,
        cast(int_opportunity_stages_ranked.stage_number as integer) as stage_number,
        cast(summed.opportunity_count as integer) as opportunity_count,
        cast(summed.unvalued_opportunity_count as integer) as unvalued_opportunity_count,
        {%- for column in (
            'amount', 'weighted', 'pipeline_category', 'best_case', 'most_likely', 'commit', 'omitted'
        ) %}
        cast(summed.{{ column }}_usd as decimal(28, 6)) as {{ column }}_usd,
        {%- endfor %}
        cast(summed.overdue_usd as decimal(28, 6)) as overdue_usd

    from summed
    left join int_opportunity_stages_ranked
        on summed.stage_name = int_opportunity_stages_ranked.stage_name

)

select * from final
