with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_credit_note_lines_netted as (

    select * from {{ ref('int_credit_note_lines_netted') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

invoice_lines as (

    select
        invoice_line_id as revenue_line_id,
        'invoice_line' as revenue_line_type,
        invoice_id,
        cast(null as string) as credit_note_id,
        invoice_line_id,
        stripe_customer_id,
        currency,
        net_minor,
        finalized_at as billed_at,
        valued_at,
        earned_from_date,
        earned_to_date

    from int_invoice_lines_netted
    where is_revenue

),

-- A credit takes back revenue that was booked at the rate of its invoice, so it has that rate.
credit_note_lines as (

    select
        int_credit_note_lines_netted.credit_note_line_id as revenue_line_id,
        'credit_note_line' as revenue_line_type,
        int_credit_note_lines_netted.invoice_id,
        int_credit_note_lines_netted.credit_note_id,
        int_credit_note_lines_netted.invoice_line_id,
        coalesce(
            int_credit_note_lines_netted.stripe_customer_id,
            int_invoices_dated.stripe_customer_id
        ) as stripe_customer_id,
        int_credit_note_lines_netted.currency,
        -int_credit_note_lines_netted.net_minor as net_minor,
        int_credit_note_lines_netted.issued_at as billed_at,
        coalesce(
            int_invoices_dated.finalized_at, int_credit_note_lines_netted.issued_at
        ) as valued_at,
        cast(int_credit_note_lines_netted.issued_at as date) as earned_from_date,
        cast(
            {{ dbt.dateadd(
                'day', 1, 'cast(int_credit_note_lines_netted.issued_at as date)'
            ) }} as date
        ) as earned_to_date

    from int_credit_note_lines_netted
    left join int_invoices_dated
        on int_credit_note_lines_netted.invoice_id = int_invoices_dated.invoice_id
    where coalesce(int_invoices_dated.is_revenue, true)

),

revenue_lines as (

    select * from invoice_lines
    union all
    select * from credit_note_lines

),

valued as (

    select
        revenue_lines.*,
        {{ minor_to_major(
            'revenue_lines.net_minor', 'int_billing_rates_monthly.stripe_minor_unit_exponent'
        ) }} as net_amount,
        int_billing_rates_monthly.usd_per_unit

    from revenue_lines
    cross join int_as_of
    left join int_billing_rates_monthly
        on
            revenue_lines.currency = int_billing_rates_monthly.currency
            and {{ month_start('revenue_lines.valued_at') }}
            = int_billing_rates_monthly.rate_month
    where
        revenue_lines.billed_at <= int_as_of.as_of_at
        and revenue_lines.net_minor != 0

),

final as (

    select
        revenue_line_id,
        revenue_line_type,
        invoice_id,
        credit_note_id,
        invoice_line_id,
        stripe_customer_id,
        currency,
        cast(billed_at as date) as billed_date,
        earned_from_date,
        earned_to_date,
        cast({{ dbt.datediff('earned_from_date', 'earned_to_date', 'day') }} as integer)
            as earning_days,
        net_amount,
        cast(net_amount * usd_per_unit as decimal(28, 6)) as net_usd,
        usd_per_unit

    from valued

)

select * from final
