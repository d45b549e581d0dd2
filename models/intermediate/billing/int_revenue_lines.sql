with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_credit_note_lines_netted as (

    select * from {{ ref('int_credit_note_lines_netted') }}

),

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

revenue_lines as (

    select
        invoice_line_id as revenue_line_id,
        'invoice_line' as revenue_line_type,
        invoice_id,
        cast(null as string) as credit_note_id,
        invoice_line_id,
        account_id,
        stripe_customer_id,
        currency,
        minor_unit_exponent,
        rate_month,
        usd_per_unit,
        net_minor,
        finalized_at as billed_at,
        earned_from_date,
        earned_to_date

    from int_invoice_lines_netted
    where is_revenue

    union all

    select
        credit_note_line_id as revenue_line_id,
        'credit_note_line' as revenue_line_type,
        invoice_id,
        credit_note_id,
        invoice_line_id,
        account_id,
        stripe_customer_id,
        currency,
        minor_unit_exponent,
        rate_month,
        usd_per_unit,
        -net_minor as net_minor,
        issued_at as billed_at,
        cast(issued_at as date) as earned_from_date,
        cast({{ dbt.dateadd('day', 1, 'cast(issued_at as date)') }} as date) as earned_to_date

    from int_credit_note_lines_netted

),

final as (

    select
        revenue_lines.revenue_line_id,
        revenue_lines.revenue_line_type,
        revenue_lines.invoice_id,
        revenue_lines.credit_note_id,
        revenue_lines.invoice_line_id,
        revenue_lines.account_id,
        revenue_lines.stripe_customer_id,
        revenue_lines.currency,
        cast(revenue_lines.billed_at as date) as billed_date,
        revenue_lines.earned_from_date,
        revenue_lines.earned_to_date,
        cast(
            {{ dbt.datediff(
                'revenue_lines.earned_from_date', 'revenue_lines.earned_to_date', 'day'
            ) }} as integer
        ) as earning_days,
        {{ minor_to_major('revenue_lines.net_minor') }} as net_amount,
        {{ to_usd(minor_to_major('revenue_lines.net_minor')) }} as net_usd

    from revenue_lines
    cross join int_as_of
    where
        revenue_lines.billed_at <= int_as_of.as_of_at
        and revenue_lines.net_minor != 0

)

select * from final
