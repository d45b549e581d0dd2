{%- set weeks = var('volume_history_weeks') -%}
{%- set width = var('volume_band_width') -%}

{%- set same_weekday -%}
(
    partition by metric, series_name, weekday_number
    order by volume_date
    rows between {{ weeks }} preceding and 1 preceding
)
{%- endset -%}

with

dq_volumes_daily as (

    select * from {{ ref('dq_volumes_daily') }}

),

-- The square roots of counts vary alike, whether a day has three or three thousand.
rooted as (

    select
        metric,
        series_name,
        volume_date,
        volume,
        {{ dbt.datediff(
            dbt.date_trunc('week', 'volume_date'), 'volume_date', 'day'
        ) }} as weekday_number,
        -- Plus 1, so that the divisor is never 0.
        1 + sqrt(cast(greatest(volume, 0) as double)) as root

    from dq_volumes_daily

),

levelled as (

    select
        metric,
        series_name,
        volume_date,
        volume,
        weekday_number,
        root,
        {{ percentile('root', 0.5) }} over (
            partition by metric, series_name
            order by volume_date
            rows between 7 preceding and 1 preceding
        ) as level_root

    from rooted

),

weekdays as (

    select
        metric,
        series_name,
        volume_date,
        volume,
        root,
        level_root,
        count(level_root) over {{ same_weekday }} as history_count,
        level_root * {{ percentile(ratio('root', 'level_root'), 0.5) }} over {{ same_weekday }}
            as expected_root,
        level_root * (
            {{ percentile(ratio('root', 'level_root'), 0.75) }} over {{ same_weekday }}
            - {{ percentile(ratio('root', 'level_root'), 0.25) }} over {{ same_weekday }}
        ) as interquartile_range

    from levelled

),

-- The band is never narrower than the variation by chance or by ordinary business.
spread_out as (

    select
        metric,
        series_name,
        volume_date,
        volume,
        root,
        history_count,
        expected_root,
        greatest(
            {{ ratio('interquartile_range', 1.349) }},
            case when metric = 'mrr' then 0.025 * expected_root else 0.5 + 0.05 * expected_root end
        ) as spread

    from weekdays

),

final as (

    select
        metric,
        series_name,
        volume_date,
        volume,
        cast(power(greatest(expected_root - 1, 0), 2) as double) as expected_volume,
        cast(power(greatest(expected_root - 1 - {{ width }} * spread, 0), 2) as double)
            as lower_volume,
        cast(power(greatest(expected_root - 1 + {{ width }} * spread, 0), 2) as double)
            as upper_volume,
        case when spread > 0 then {{ ratio('root - expected_root', 'spread') }} end as deviation,
        history_count >= {{ weeks / 2 }}
        and greatest(root, expected_root) >= 1 + sqrt({{ var('volume_least_judged') }})
            as is_judged,
        cast(history_count as integer) as history_count

    from spread_out

)

select * from final
