with

counted as (

    select {{ explode(dbt.array_construct(range(24))) }} as hour_count

),

hours as (

    select cast(hour_count as integer) as hour_number
    from counted

),

final as (

    select
        hour_number,
        concat(lpad(cast(hour_number as string), 2, '0'), ':00') as hour_label,
        case
            when hour_number < 6 then 'night'
            when hour_number < 12 then 'morning'
            when hour_number < 18 then 'afternoon'
            else 'evening'
        end as day_part

    from hours

)

select * from final
