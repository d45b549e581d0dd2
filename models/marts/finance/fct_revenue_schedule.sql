with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_revenue_lines as (

    select * from {{ ref('int_revenue_lines') }}

),

stripe_accounts as (

    select
        foreign_id as stripe_customer_id,
        account_id
    from bridge_account_identities
    where source_system = 'stripe'

),

line_spans as (

    select
        *,
        {{ month_start('earned_from_date') }} as first_month,
        {{ month_start(dbt.dateadd('day', -1, 'earned_to_date')) }} as last_month

    from int_revenue_lines

),

line_months as (

    select
        *,
        {{ explode(date_series('first_month', 'last_month', 'month')) }} as revenue_month

    from line_spans

),

bounded as (

    select
        line_months.*,
        greatest(line_months.earned_from_date, line_months.revenue_month) as first_date,
        least(
            line_months.earned_to_date,
            cast({{ dbt.dateadd('month', 1, 'line_months.revenue_month') }} as date)
        ) as after_date,
        cast({{ dbt.dateadd('day', 1, 'int_as_of.as_of_date') }} as date) as after_as_of_date

    from line_months
    cross join int_as_of

),

bounded_by_as_of as (

    select
        *,
        greatest(first_date, least(after_date, after_as_of_date)) as recognized_to_date
    from bounded

),

counted as (

    select
        *,
        {{ dbt.datediff('earned_from_date', 'first_date', 'day') }} as days_before,
        {{ dbt.datediff('earned_from_date', 'after_date', 'day') }} as days_through,
        {{ dbt.datediff('earned_from_date', 'recognized_to_date', 'day') }} as days_through_as_of

    from bounded_by_as_of

),

-- Each month is the difference of two rounded sums to date, so that a line's months add up to it.
accumulated as (

    select
        *,
        {{ prorate('net_amount', 'days_before', 'earning_days') }} as amount_before,
        {{ prorate('net_amount', 'days_through', 'earning_days') }} as amount_through,
        {{ prorate('net_amount', 'days_through_as_of', 'earning_days') }} as amount_through_as_of,
        {{ prorate('net_usd', 'days_before', 'earning_days') }} as usd_before,
        {{ prorate('net_usd', 'days_through', 'earning_days') }} as usd_through,
        {{ prorate('net_usd', 'days_through_as_of', 'earning_days') }} as usd_through_as_of

    from counted

),

final as (

    select
        accumulated.revenue_line_id,
        accumulated.revenue_month,
        accumulated.revenue_line_type,
        accumulated.invoice_id,
        accumulated.credit_note_id,
        accumulated.invoice_line_id,
        stripe_accounts.account_id,
        accumulated.stripe_customer_id,
        accumulated.currency,
        accumulated.billed_date,
        accumulated.earned_from_date,
        accumulated.earned_to_date,
        cast(accumulated.days_through - accumulated.days_before as integer) as earned_days,
        cast(accumulated.amount_through - accumulated.amount_before as decimal(28, 6))
            as recognized_amount,
        cast(accumulated.usd_through - accumulated.usd_before as decimal(28, 6)) as recognized_usd,
        cast(accumulated.amount_through_as_of - accumulated.amount_before as decimal(28, 6))
            as recognized_to_date_amount,
        cast(accumulated.usd_through_as_of - accumulated.usd_before as decimal(28, 6))
            as recognized_to_date_usd,
        accumulated.after_date <= accumulated.after_as_of_date as is_recognized

    from accumulated
    left join stripe_accounts
        on accumulated.stripe_customer_id = stripe_accounts.stripe_customer_id

)

select * from final
