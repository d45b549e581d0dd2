{%- set weeks = var('volume_history_weeks') -%}
{%- set width = var('volume_band_width') -%}

with

dq_volumes_daily as (

    select * from {{ ref('dq_volumes_daily') }}

),

-- Square roots of counts vary alike, whether a day has three or three thousand.
rooted as (

    select
        metric,
        series_name,
        volume_date,
        volume,
        -- One more, so that there is always something to divide by.
        1 + sqrt(cast(greatest(volume, 0) as double)) as root

    from dq_volumes_daily

),

levelled as (

    select
        *,
        {{ median('root') }} over (
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
        count(level_root) over same_weekday as history_count,
        level_root * {{ median('root / level_root') }} over same_weekday as expected_root,
        level_root * (
            {{ percentile('root / level_root', 0.75) }} over same_weekday
            - {{ percentile('root / level_root', 0.25) }} over same_weekday
        ) / 1.349 as observed_spread

    from levelled
    window
        same_weekday as (
            partition by metric, series_name, {{ iso_weekday('volume_date') }}
            order by volume_date
            rows between {{ weeks }} preceding and 1 preceding
        )

),

-- Never narrower than chance makes counts vary, nor than ordinary business moves.
spread_out as (

    select
        *,
        greatest(
            observed_spread,
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
        case when spread > 0 then (root - expected_root) / spread end as deviation,
        history_count >= {{ weeks / 2 }}
        and greatest(root, expected_root) >= 1 + sqrt({{ var('volume_least_judged') }})
            as is_judged,
        cast(history_count as integer) as history_count

    from spread_out

)

select * from final
