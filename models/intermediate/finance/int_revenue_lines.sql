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

int_invoices_totaled as (

    select * from {{ ref('int_invoices_totaled') }}

),

stg_stripe__invoice_lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}

),

invoice_lines as (

    select
        stg_stripe__invoice_lines.invoice_line_id as revenue_line_id,
        'invoice_line' as revenue_line_type,
        int_invoices_totaled.invoice_id,
        cast(null as varchar) as credit_note_id,
        stg_stripe__invoice_lines.invoice_line_id,
        int_invoices_totaled.stripe_customer_id,
        int_invoices_totaled.currency,
        stg_stripe__invoice_lines.amount_minor
        - stg_stripe__invoice_lines.discount_amount_minor
        - stg_stripe__invoice_lines.inclusive_tax_minor as net_minor,
        int_invoices_totaled.finalized_at as billed_at,
        int_invoices_totaled.finalized_at as valued_at,
        cast(
            coalesce(
                stg_stripe__invoice_lines.period_start_at,
                stg_stripe__invoice_lines.period_end_at,
                int_invoices_totaled.finalized_at
            ) as date
        ) as earned_from_date,
        cast(stg_stripe__invoice_lines.period_end_at as date) as period_end_date

    from stg_stripe__invoice_lines
    inner join int_invoices_totaled
        on stg_stripe__invoice_lines.invoice_id = int_invoices_totaled.invoice_id
    where int_invoices_totaled.is_revenue

),

-- A credit takes back revenue that was booked at the rate of its invoice, so it has that rate.
credit_note_lines as (

    select
        int_credit_note_lines_netted.credit_note_line_id as revenue_line_id,
        'credit_note_line' as revenue_line_type,
        int_credit_note_lines_netted.invoice_id,
        int_credit_note_lines_netted.credit_note_id,
        int_credit_note_lines_netted.invoice_line_id,
        int_credit_note_lines_netted.stripe_customer_id,
        int_credit_note_lines_netted.currency,
        -int_credit_note_lines_netted.net_minor as net_minor,
        int_credit_note_lines_netted.issued_at as billed_at,
        coalesce(
            int_invoices_totaled.finalized_at, int_credit_note_lines_netted.issued_at
        ) as valued_at,
        cast(int_credit_note_lines_netted.issued_at as date) as earned_from_date,
        cast(null as date) as period_end_date

    from int_credit_note_lines_netted
    left join int_invoices_totaled
        on int_credit_note_lines_netted.invoice_id = int_invoices_totaled.invoice_id
    where coalesce(int_invoices_totaled.is_revenue, true)

),

revenue_lines as (

    select * from invoice_lines
    union all
    select * from credit_note_lines

),

-- A period of less than a day, and what has none, is earned on its one day.
valued as (

    select
        revenue_lines.*,
        case
            when revenue_lines.period_end_date > revenue_lines.earned_from_date
                then revenue_lines.period_end_date
            else {{ add_days('revenue_lines.earned_from_date', 1) }}
        end as earned_to_date,
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
        cast(earned_to_date as date) as earned_to_date,
        cast({{ dbt.datediff('earned_from_date', 'earned_to_date', 'day') }} as integer)
            as earning_days,
        net_amount,
        cast(net_amount * usd_per_unit as decimal(28, 6)) as net_usd,
        usd_per_unit

    from valued

)

select * from final
