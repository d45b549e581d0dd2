-- On which days is a volume outside its expected band?
with

dq_volume_anomalies as (

    select * from {{ ref('dq_volume_anomalies') }}

),

final as (

    select
        volume_date,
        series_name,
        metric,
        anomaly_type,
        volume,
        expected_volume,
        lower_volume,
        upper_volume

    from dq_volume_anomalies

)

select * from final
order by
    volume_date desc,
    metric asc,
    series_name asc
