{%- set days = 'int_revenue_lines.earning_days' %}

with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_revenue_lines as (

    select * from {{ ref('int_revenue_lines') }}

),

-- The days in a month depend on the dates alone, and many lines share them.
periods as (

    select distinct
        earned_from_date,
        earned_to_date,
        booked_date,
        earned_until_date,
        stopped_date,
        is_bad_debt,
        greatest({{ month_start('earned_from_date') }}, {{ month_start('booked_date') }})
            as first_month

    from int_revenue_lines

),

period_months as (

    select
        earned_from_date,
        earned_to_date,
        booked_date,
        earned_until_date,
        stopped_date,
        is_bad_debt,
        first_month,
        {{ explode(date_series(
            'first_month',
            'greatest(first_month, ' ~ month_start(dbt.dateadd('day', -1, 'stopped_date')) ~ ')',
            'month'
        )) }} as revenue_month

    from periods

),

bounded as (

    select
        period_months.earned_from_date,
        period_months.earned_to_date,
        period_months.booked_date,
        period_months.earned_until_date,
        period_months.stopped_date,
        period_months.is_bad_debt,
        period_months.revenue_month,
        period_months.revenue_month = period_months.first_month as is_first_month,
        greatest(
            period_months.earned_from_date,
            least(period_months.stopped_date, period_months.revenue_month)
        ) as first_date,
        greatest(
            period_months.earned_from_date,
            least(
                period_months.stopped_date,
                cast({{ dbt.dateadd('month', 1, 'period_months.revenue_month') }} as date)
            )
        ) as after_date,
        cast({{ dbt.dateadd('day', 1, 'int_as_of.as_of_date') }} as date) as after_as_of_date

    from period_months
    cross join int_as_of

),

-- The month that books a line catches up on the days before it. Of a write-off they are bad debt.
counted as (

    select
        earned_from_date,
        earned_to_date,
        booked_date,
        earned_until_date,
        stopped_date,
        is_bad_debt,
        revenue_month,
        {{ dbt.datediff('earned_from_date', 'after_date', 'day') }}
            as days_through,
        case
            when not is_first_month then {{ dbt.datediff('earned_from_date', 'first_date', 'day') }}
            when is_bad_debt
                then least(
                        {{ dbt.datediff('earned_from_date', 'earned_until_date', 'day') }},
                        {{ dbt.datediff('earned_from_date', 'after_date', 'day') }}
                    )
            else 0
        end as days_before,
        case
            when is_first_month
                then {{ dbt.datediff('earned_from_date', 'earned_until_date', 'day') }}
            else 0
        end as days_reversed,
        {{ dbt.datediff('earned_from_date', 'least(after_date, after_as_of_date)', 'day') }}
            as days_through_as_of,
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
        {%- for unit in ['amount', 'usd'] %}
        {%- set net = 'int_revenue_lines.net_' ~ unit %}
        {%- set earned = '(' ~ net ~ ' + int_revenue_lines.cleared_' ~ unit ~ ')' %}
        {%- set before = prorate(earned, 'counted.days_before', days) %}
        cast({{ prorate(earned, 'counted.days_through', days) }} - {{ before }} as decimal(28, 6))
            as recognized_{{ unit }},
        cast(
            {{ prorate(
                earned, 'greatest(counted.days_before, counted.days_through_as_of)', days
            ) }} - {{ before }} as decimal(28, 6)
        ) as recognized_to_date_{{ unit }},
        cast(
            case
                when not counted.is_bad_debt and {{ earned }} * {{ net }} > 0
                    then -{{ prorate(earned, 'counted.days_reversed', days) }}
                else 0
            end as decimal(28, 6)
        ) as contra_revenue_{{ unit }},
        cast(
            case
                when counted.is_bad_debt
                    then -{{ prorate(earned, 'counted.days_reversed', days) }}
                else 0
            end as decimal(28, 6)
        ) as bad_debt_{{ unit }},
        {%- endfor %}
        counted.is_recognized

    from int_revenue_lines
    inner join counted
        on
            int_revenue_lines.earned_from_date = counted.earned_from_date
            and int_revenue_lines.earned_to_date = counted.earned_to_date
            and int_revenue_lines.booked_date = counted.booked_date
            and int_revenue_lines.earned_until_date = counted.earned_until_date
            and int_revenue_lines.stopped_date = counted.stopped_date
            and int_revenue_lines.is_bad_debt = counted.is_bad_debt
    where counted.days_through != counted.days_before or counted.days_reversed != 0

)

select * from final
