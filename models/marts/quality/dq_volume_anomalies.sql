with

dq_volume_bands as (

    select * from {{ ref('dq_volume_bands') }}

),

final as (

    select
        metric,
        series_name,
        volume_date,
        case
            when volume > upper_volume then 'spike'
            when volume = 0 then 'gap'
            else 'drop'
        end as anomaly_type,
        volume,
        expected_volume,
        lower_volume,
        upper_volume,
        deviation

    from dq_volume_bands
    where
        is_judged
        and (volume > upper_volume or volume < lower_volume)

)

select * from final
