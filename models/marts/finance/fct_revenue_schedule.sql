with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_revenue_lines as (

    select * from {{ ref('int_revenue_lines') }}

),

-- The days in a month depend on the period alone, and many lines share one.
periods as (

    select distinct
        earned_from_date,
        earned_to_date
    from int_revenue_lines

),

period_months as (

    select
        earned_from_date,
        earned_to_date,
        {{ explode(date_series(
            month_start('earned_from_date'),
            month_start(dbt.dateadd('day', -1, 'earned_to_date')),
            'month'
        )) }} as revenue_month

    from periods

),

bounded as (

    select
        period_months.earned_from_date,
        period_months.earned_to_date,
        period_months.revenue_month,
        greatest(period_months.earned_from_date, period_months.revenue_month) as first_date,
        least(
            period_months.earned_to_date,
            cast({{ dbt.dateadd('month', 1, 'period_months.revenue_month') }} as date)
        ) as after_date,
        cast({{ dbt.dateadd('day', 1, 'int_as_of.as_of_date') }} as date) as after_as_of_date

    from period_months
    cross join int_as_of

),

counted as (

    select
        earned_from_date,
        earned_to_date,
        revenue_month,
        {{ dbt.datediff(
            'earned_from_date', 'first_date', 'day'
        ) }} as days_before,
        {{ dbt.datediff(
            'earned_from_date', 'after_date', 'day'
        ) }} as days_through,
        {{ dbt.datediff(
            'earned_from_date', 'greatest(first_date, least(after_date, after_as_of_date))', 'day'
        ) }} as days_through_as_of,
        after_date <= after_as_of_date as is_recognized

    from bounded

),

-- A month is the difference of two rounded sums to date, so that a line's months add up to it.
final as (

    select
        int_revenue_lines.revenue_line_id,
        counted.revenue_month,
        int_revenue_lines.revenue_line_type,
        int_revenue_lines.invoice_id,
        int_revenue_lines.credit_note_id,
        int_revenue_lines.invoice_line_id,
        int_revenue_lines.account_id,
        int_revenue_lines.stripe_customer_id,
        int_revenue_lines.currency,
        int_revenue_lines.billed_date,
        int_revenue_lines.earned_from_date,
        int_revenue_lines.earned_to_date,
        cast(counted.days_through - counted.days_before as integer) as earned_days,
        cast(
            {{ prorate(
                'int_revenue_lines.net_amount', 'counted.days_through', 'int_revenue_lines.earning_days'
            ) }}
            - {{ prorate(
                'int_revenue_lines.net_amount', 'counted.days_before', 'int_revenue_lines.earning_days'
            ) }} as decimal(28, 6)
        ) as recognized_amount,
        cast(
            {{ prorate(
                'int_revenue_lines.net_usd', 'counted.days_through', 'int_revenue_lines.earning_days'
            ) }}
            - {{ prorate(
                'int_revenue_lines.net_usd', 'counted.days_before', 'int_revenue_lines.earning_days'
            ) }} as decimal(28, 6)
        ) as recognized_usd,
        cast(
            {{ prorate(
                'int_revenue_lines.net_amount', 'counted.days_through_as_of', 'int_revenue_lines.earning_days'
            ) }}
            - {{ prorate(
                'int_revenue_lines.net_amount', 'counted.days_before', 'int_revenue_lines.earning_days'
            ) }} as decimal(28, 6)
        ) as recognized_to_date_amount,
        cast(
            {{ prorate(
                'int_revenue_lines.net_usd', 'counted.days_through_as_of', 'int_revenue_lines.earning_days'
            ) }}
            - {{ prorate(
                'int_revenue_lines.net_usd', 'counted.days_before', 'int_revenue_lines.earning_days'
            ) }} as decimal(28, 6)
        ) as recognized_to_date_usd,
        counted.is_recognized

    from int_revenue_lines
    inner join counted
        on
            int_revenue_lines.earned_from_date = counted.earned_from_date
            and int_revenue_lines.earned_to_date = counted.earned_to_date

)

select * from final
