-- How many rows, events and dollars come each month, and how many daily volumes are unusual?
with

dq_volume_bands as (

    select * from {{ ref('dq_volume_bands') }}

),

final as (

    select
        {{ month_start('dq_volume_bands.volume_date') }} as volume_month,
        dq_volume_bands.metric,
        count(*) filter (where dq_volume_bands.is_judged) as judged_count,
        count(*) filter (
            where dq_volume_bands.is_judged
            and (
                dq_volume_bands.volume < dq_volume_bands.lower_volume
                or dq_volume_bands.volume > dq_volume_bands.upper_volume
            )
        ) as unusual_count,
        sum(dq_volume_bands.volume) as volume

    from dq_volume_bands
    group by
        {{ month_start('dq_volume_bands.volume_date') }},
        dq_volume_bands.metric

)

select * from final
order by
    volume_month,
    metric
