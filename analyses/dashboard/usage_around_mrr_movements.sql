-- How does usage change before accounts expand, contract or churn, compared with those that stay?
with

fct_usage_around_mrr_movements as (

    select * from {{ ref('fct_usage_around_mrr_movements') }}

),

final as (

    select
        movement_type,
        month_offset_number,
        count(*) as movement_count,
        {{ ratio('sum(events_per_day)', 'sum(baseline_events_per_day)') }} as usage_index,
        {{ percentile('usage_index', 0.5) }} as median_usage_index

    from fct_usage_around_mrr_movements
    where baseline_events_per_day > 0
    group by
        movement_type,
        month_offset_number

)

select * from final
order by
    movement_type,
    month_offset_number
