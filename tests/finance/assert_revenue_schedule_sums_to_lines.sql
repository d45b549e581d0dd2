-- Proves that the months of a line add up to the line, to the last decimal, in its currency and in
-- US dollars, and its days to its period. Rounding each month separately loses or adds a fraction
-- of a cent per line, which adds up over thousands of lines. Excludes lines whose schedule ended
-- early, by a credit or a write-off.
with

fct_invoice_lines as (

    select * from {{ ref('fct_invoice_lines') }}

),

fct_revenue_schedule as (

    select * from {{ ref('fct_revenue_schedule') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_revenue_lines as (

    select * from {{ ref('int_revenue_lines') }}

),

stopped_lines as (

    select
        invoice_id,
        invoice_line_id
    from int_revenue_lines
    where
        revenue_line_type = 'invoice_line'
        and stopped_date < earned_to_date

),

scheduled as (

    select
        invoice_id,
        revenue_line_id as invoice_line_id,
        sum(recognized_amount) as recognized_amount,
        sum(recognized_usd) as recognized_usd,
        sum(earned_days) as earned_days

    from fct_revenue_schedule
    where revenue_line_type = 'invoice_line'
    group by
        invoice_id,
        revenue_line_id

),

lines as (

    select
        fct_invoice_lines.invoice_id,
        fct_invoice_lines.invoice_line_id,
        fct_invoice_lines.net_amount,
        fct_invoice_lines.net_usd,
        fct_invoice_lines.earned_from_date,
        fct_invoice_lines.earned_to_date

    from fct_invoice_lines
    cross join int_as_of
    where
        fct_invoice_lines.is_revenue
        and fct_invoice_lines.finalized_at <= int_as_of.as_of_at
        and fct_invoice_lines.net_amount != 0

),

final as (

    select
        coalesce(lines.invoice_line_id, scheduled.invoice_line_id) as invoice_line_id,
        lines.net_amount,
        scheduled.recognized_amount,
        lines.net_usd,
        scheduled.recognized_usd,
        {{ dbt.datediff(
            'lines.earned_from_date', 'lines.earned_to_date', 'day'
        ) }} as period_days,
        scheduled.earned_days

    from lines
    full join scheduled
        on
            lines.invoice_id = scheduled.invoice_id
            and lines.invoice_line_id = scheduled.invoice_line_id
    left join stopped_lines
        on
            lines.invoice_id = stopped_lines.invoice_id
            and lines.invoice_line_id = stopped_lines.invoice_line_id
    where stopped_lines.invoice_line_id is null

)

select * from final
where
    net_amount is distinct from recognized_amount
    or net_usd is distinct from recognized_usd
    or period_days is distinct from earned_days
