with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_invoice_settlements_dated as (

    select * from {{ ref('int_invoice_settlements_dated') }}

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
        int_invoices_dated.finalized_at <= int_as_of.as_of_at
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

open_balances as (

    select
        int_invoices_dated.invoice_id,
        int_invoices_dated.account_id,
        int_invoices_dated.currency,
        int_invoices_dated.minor_unit_exponent,
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
    where
        int_invoices_dated.closed_at is null
        or int_invoices_dated.closed_at > month_ends.measured_at

),

final as (

    select
        invoice_id,
        account_id,
        currency,
        minor_unit_exponent,
        balance_month,
        is_month_closed,
        open_minor,
        days_past_due,
        case
            when days_past_due = 0 then 'current'
            when days_past_due <= 30 then '1-30'
            when days_past_due <= 60 then '31-60'
            when days_past_due <= 90 then '61-90'
            else 'over 90'
        end as ageing_bucket

    from open_balances
    where open_minor > 0

)

select * from final
