-- Proves the parts of a date on days where they are easily wrong: a leap day, the days around the
-- turn of a year, which belong to a week of another year, and a month's end. Comparing each part
-- with the same function of the date would only repeat the model. The fiscal year is computed from
-- whole months, by which the configured year begins later.
with

dim_dates as (

    select * from {{ ref('dim_dates') }}

),

expected as (

    select
        cast(day as date) as calendar_date,
        calendar_year,
        month_number,
        week_number,
        day_of_week_number
    from (
        values
        ('2015-01-01', 2015, 1, 1, 4),
        ('2016-02-29', 2016, 2, 9, 1),
        ('2021-01-03', 2021, 1, 53, 7),
        ('2024-09-30', 2024, 9, 40, 1),
        ('2024-12-30', 2024, 12, 1, 1),
        ('2027-12-31', 2027, 12, 52, 5)
    ) as days (day, calendar_year, month_number, week_number, day_of_week_number)

),

months as (

    select
        calendar_date,
        calendar_year,
        month_number,
        week_number,
        day_of_week_number,
        (month_number - 1) / 3 as quarters_before,
        12 * calendar_year + month_number - {{ var('fiscal_year_start_month') }} as fiscal_months
    from expected

)

select
    months.calendar_date,
    dim_dates.calendar_year,
    dim_dates.fiscal_year
from months
left join dim_dates
    on months.calendar_date = dim_dates.calendar_date
where
    dim_dates.calendar_year is distinct from months.calendar_year
    or dim_dates.month_number is distinct from months.month_number
    or dim_dates.week_number is distinct from months.week_number
    or dim_dates.day_of_week_number is distinct from months.day_of_week_number
    or dim_dates.quarter_number is distinct from floor(months.quarters_before) + 1
    or dim_dates.fiscal_quarter_number is distinct from floor(months.fiscal_months % 12 / 3) + 1
    or dim_dates.fiscal_year is distinct from floor(months.fiscal_months / 12)
    + {{ 0 if var('fiscal_year_start_month') == 1 else 1 }}
