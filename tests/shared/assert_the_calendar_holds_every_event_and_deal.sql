-- Proves that the dates of every event and deal are in dim_dates, where an inner join would lose
-- the others silently. A check up to the as-of date would miss deals with an expected close date
-- after it. Clocks that are wrong by decades are excluded, as in dim_dates.
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
