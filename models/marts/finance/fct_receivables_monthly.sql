with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_invoice_settlements_dated as (

    select * from {{ ref('int_invoice_settlements_dated') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

invoice_months as (

    select
        int_invoices_dated.invoice_id,
        cast(
            coalesce(int_invoices_dated.due_at, int_invoices_dated.finalized_at) as date
        ) as due_date,
        int_as_of.as_of_at,
        {{ explode(date_series(
            month_start('int_invoices_dated.finalized_at'),
            month_start('least(int_invoices_dated.closed_at, int_as_of.as_of_at)'),
            'month'
        )) }} as balance_month

    from int_invoices_dated
    cross join int_as_of
    where
        int_invoices_dated.is_revenue
        and int_invoices_dated.finalized_at <= int_as_of.as_of_at
        and int_invoices_dated.due_minor > 0

),

month_ends as (

    select
        invoice_id,
        due_date,
        balance_month,
        {{ dbt.dateadd('month', 1, 'balance_month') }} <= as_of_at + interval 1 microsecond
            as is_month_closed,
        least(
            cast({{ dbt.dateadd(
                'month', 1, 'balance_month'
            ) }} as timestamp) - interval 1 microsecond,
            as_of_at
        ) as measured_at

    from invoice_months

),

settled as (

    select
        month_ends.invoice_id,
        month_ends.balance_month,
        sum(int_invoice_settlements_dated.settled_minor) as settled_minor

    from month_ends
    inner join int_invoice_settlements_dated
        on
            month_ends.invoice_id = int_invoice_settlements_dated.invoice_id
            and month_ends.measured_at >= int_invoice_settlements_dated.settled_at
    group by
        month_ends.invoice_id,
        month_ends.balance_month

),

invoice_balances as (

    select
        int_invoices_dated.account_id,
        int_invoices_dated.currency,
        int_invoices_dated.minor_unit_exponent,
        int_usd_rates_monthly.usd_per_unit,
        month_ends.balance_month,
        month_ends.is_month_closed,
        cast(int_invoices_dated.due_minor - coalesce(settled.settled_minor, 0) as bigint)
            as open_minor,
        cast(
            greatest(
                {{ dbt.datediff(
                    'month_ends.due_date', 'cast(month_ends.measured_at as date)', 'day'
                ) }},
                0
            ) as integer
        ) as days_past_due

    from month_ends
    inner join int_invoices_dated
        on month_ends.invoice_id = int_invoices_dated.invoice_id
    left join settled
        on
            month_ends.invoice_id = settled.invoice_id
            and month_ends.balance_month = settled.balance_month
    left join int_usd_rates_monthly
        on
            int_invoices_dated.currency = int_usd_rates_monthly.currency
            and month_ends.balance_month = int_usd_rates_monthly.rate_month
    where
        int_invoices_dated.closed_at is null
        or int_invoices_dated.closed_at > month_ends.measured_at

),

balances as (

    select
        account_id,
        currency,
        minor_unit_exponent,
        usd_per_unit,
        balance_month as rate_month,
        is_month_closed,
        cast(count(*) as integer) as open_invoice_count,
        max(days_past_due) as max_days_past_due,
        sum(open_minor) as open_minor,
        sum(case when days_past_due = 0 then open_minor else 0 end) as current_minor,
        sum(case when days_past_due between 1 and 30 then open_minor else 0 end)
            as days_1_30_minor,
        sum(case when days_past_due between 31 and 60 then open_minor else 0 end)
            as days_31_60_minor,
        sum(case when days_past_due between 61 and 90 then open_minor else 0 end)
            as days_61_90_minor,
        sum(case when days_past_due > 90 then open_minor else 0 end) as over_90_days_minor

    from invoice_balances
    where open_minor > 0
    group by
        account_id,
        currency,
        minor_unit_exponent,
        usd_per_unit,
        balance_month,
        is_month_closed

),

final as (

    select
        account_id,
        currency,
        rate_month as receivable_month,
        is_month_closed,
        open_invoice_count,
        max_days_past_due,
        {{ minor_to_major('open_minor') }} as open_amount,
        {{ minor_to_major('current_minor') }} as current_amount,
        {{ minor_to_major('days_1_30_minor') }} as days_1_30_amount,
        {{ minor_to_major('days_31_60_minor') }} as days_31_60_amount,
        {{ minor_to_major('days_61_90_minor') }} as days_61_90_amount,
        {{ minor_to_major('over_90_days_minor') }} as over_90_days_amount,
        {{ to_usd(minor_to_major('open_minor')) }} as open_usd,
        {{ to_usd(minor_to_major('current_minor')) }} as current_usd,
        {{ to_usd(minor_to_major('days_1_30_minor')) }} as days_1_30_usd,
        {{ to_usd(minor_to_major('days_31_60_minor')) }} as days_31_60_usd,
        {{ to_usd(minor_to_major('days_61_90_minor')) }} as days_61_90_usd,
        {{ to_usd(minor_to_major('over_90_days_minor')) }} as over_90_days_usd

    from balances

)

select * from final
