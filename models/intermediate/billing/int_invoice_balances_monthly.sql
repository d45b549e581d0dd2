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
        int_invoices_dated.stripe_customer_id,
        int_invoices_dated.currency,
        int_invoices_dated.due_minor,
        int_invoices_dated.closed_at,
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

measured as (

    select
        *,
        least(
            cast({{ dbt.dateadd(
                'month', 1, 'balance_month'
            ) }} as timestamp) - interval 1 microsecond,
            as_of_at
        ) as measured_at

    from invoice_months

),

still_open as (

    select
        measured.invoice_id,
        measured.stripe_customer_id,
        measured.currency,
        measured.balance_month,
        measured.measured_at,
        measured.as_of_at,
        measured.due_date,
        measured.due_minor
        - coalesce(sum(int_invoice_settlements_dated.settled_minor), 0) as open_minor

    from measured
    left join int_invoice_settlements_dated
        on
            measured.invoice_id = int_invoice_settlements_dated.invoice_id
            and measured.measured_at >= int_invoice_settlements_dated.settled_at
    where measured.closed_at is null or measured.closed_at > measured.measured_at
    group by
        measured.invoice_id,
        measured.stripe_customer_id,
        measured.currency,
        measured.balance_month,
        measured.measured_at,
        measured.as_of_at,
        measured.due_date,
        measured.due_minor

),

aged as (

    select
        *,
        greatest({{ dbt.datediff('due_date', 'cast(measured_at as date)', 'day') }}, 0)
            as days_past_due

    from still_open
    where open_minor > 0

),

final as (

    select
        invoice_id,
        stripe_customer_id,
        currency,
        balance_month,
        measured_at,
        {{ dbt.dateadd('month', 1, 'balance_month') }} <= as_of_at + interval 1 microsecond
            as is_month_closed,
        cast(open_minor as bigint) as open_minor,
        cast(days_past_due as integer) as days_past_due,
        case
            when days_past_due = 0 then 'current'
            when days_past_due <= 30 then '1-30'
            when days_past_due <= 60 then '31-60'
            when days_past_due <= 90 then '61-90'
            else 'over 90'
        end as ageing_bucket

    from aged

)

select * from final
