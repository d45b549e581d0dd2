-- Proves that every event and deal is within dim_dates, because an inner join would silently lose
-- the others. A calendar that ends with the as-of date would pass until the first deal expected
-- next year. Excludes dates from clocks that are wrong by decades, as the calendar does.
with

used as (

    select distinct occurred_date as used_date
    from {{ ref('fct_events') }}

    union

    select close_date as used_date
    from {{ ref('fct_opportunities') }}

    union

    select created_date as used_date
    from {{ ref('fct_opportunities') }}

)

select used.used_date
from used
left join {{ ref('dim_dates') }} as dim_dates
    on used.used_date = dim_dates.calendar_date
where
    used.used_date between cast('1990-01-01' as date) and cast('2100-12-31' as date)
    and dim_dates.calendar_date is null
