-- Proves the parts of a date on days where they are easily wrong: a leap day, the days around the
-- turn of a year, which belong to a week of another year, and a month's end. Comparing each part
-- with the same function of the date would only repeat the model. Fiscal parts count the months
-- since the configured year began.
with

dim_dates as (

    select * from {{ ref('dim_dates') }}

),

expected as (

    select
        cast(days.calendar_day as date) as calendar_date,
        days.calendar_year,
        days.quarter_number,
        days.month_number,
        days.week_number,
        days.day_of_week_number,
        days.calendar_year + cast(
            {{ var('fiscal_year_start_month') }} > 1
            and days.month_number >= {{ var('fiscal_year_start_month') }} as integer
        ) as fiscal_year,
        (days.month_number + 12 - {{ var('fiscal_year_start_month') }}) % 12 as fiscal_months_before
    from (
        values
        ('2015-01-01', 2015, 1, 1, 1, 4),
        ('2016-02-29', 2016, 1, 2, 9, 1),
        ('2021-01-03', 2021, 1, 1, 53, 7),
        ('2024-09-30', 2024, 3, 9, 40, 1),
        ('2024-12-30', 2024, 4, 12, 1, 1),
        ('2027-12-31', 2027, 4, 12, 52, 5)
    ) as days (
        calendar_day,
        calendar_year,
        quarter_number,
        month_number,
        week_number,
        day_of_week_number
    )

)

select
    expected.calendar_date,
    dim_dates.calendar_year,
    dim_dates.fiscal_year
from expected
left join dim_dates
    on expected.calendar_date = dim_dates.calendar_date
where
    dim_dates.calendar_year is distinct from expected.calendar_year
    or dim_dates.quarter_number is distinct from expected.quarter_number
    or dim_dates.month_number is distinct from expected.month_number
    or dim_dates.week_number is distinct from expected.week_number
    or dim_dates.day_of_week_number is distinct from expected.day_of_week_number
    or dim_dates.is_month_end is distinct from (
        cast(expected.calendar_date as string) in ('2016-02-29', '2024-09-30', '2027-12-31')
    )
    or dim_dates.is_weekend is distinct from (expected.day_of_week_number in (6, 7))
    or extract(day from dim_dates.quarter_start_date) != 1
    or extract(month from dim_dates.quarter_start_date) != 3 * expected.quarter_number - 2
    or dim_dates.fiscal_year is distinct from expected.fiscal_year
    or dim_dates.fiscal_quarter_number is distinct from case
        when expected.fiscal_months_before < 3 then 1
        when expected.fiscal_months_before < 6 then 2
        when expected.fiscal_months_before < 9 then 3
        else 4
    end
