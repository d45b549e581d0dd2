-- Proves that, at every month-end, the deferred balance of an account and currency is what its
-- documents have billed to date (invoice totals without tax, less credit notes, refunds with a
-- cancellation and write-offs) less what the schedule has recognised to date or lost as bad debt.
-- The roll-forward alone also foots with an invoice missing from both of its sides. Excludes
-- accounts with an invoice whose lines are incomplete, which `has_missing_lines` reports.
with

fct_credit_notes as (

    select * from {{ ref('fct_credit_notes') }}

),

fct_deferred_revenue_monthly as (

    select * from {{ ref('fct_deferred_revenue_monthly') }}

),

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

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

movements as (

    select
        fct_invoices.account_id,
        fct_invoices.currency,
        {{ month_start('fct_invoices.finalized_at') }} as movement_month,
        fct_invoices.net_amount as amount
    from fct_invoices
    cross join int_as_of
    where fct_invoices.is_revenue and fct_invoices.finalized_at <= int_as_of.as_of_at

    union all

    select
        fct_credit_notes.account_id,
        fct_credit_notes.currency,
        {{ month_start('fct_credit_notes.issued_at') }} as movement_month,
        -fct_credit_notes.net_amount as amount
    from fct_credit_notes
    cross join int_as_of
    where
        fct_credit_notes.issued_at <= int_as_of.as_of_at
        and (
            fct_credit_notes.is_revenue
            or (fct_credit_notes.is_void and '{{ var("revenue_corrections") }}' = 'open_period')
        )

    union all

    select
        fct_credit_notes.account_id,
        fct_credit_notes.currency,
        {{ month_start('coalesce(fct_credit_notes.voided_at, fct_credit_notes.issued_at)') }}
            as movement_month,
        fct_credit_notes.net_amount as amount
    from fct_credit_notes
    cross join int_as_of
    where
        fct_credit_notes.is_void
        and '{{ var("revenue_corrections") }}' = 'open_period'
        and coalesce(fct_credit_notes.voided_at, fct_credit_notes.issued_at) <= int_as_of.as_of_at

    union all

    select
        account_id,
        currency,
        {{ month_start('billed_date') }} as movement_month,
        net_amount as amount
    from int_revenue_lines
    where revenue_line_type not in ('invoice_line', 'credit_note_line')

    union all

    select
        account_id,
        currency,
        revenue_month as movement_month,
        bad_debt_amount - recognized_to_date_amount as amount
    from fct_revenue_schedule

),

incomplete_accounts as (

    select distinct account_id
    from fct_invoices
    where has_missing_lines

),

final as (

    select
        fct_deferred_revenue_monthly.account_id,
        fct_deferred_revenue_monthly.currency,
        fct_deferred_revenue_monthly.deferred_month,
        fct_deferred_revenue_monthly.closing_amount,
        coalesce(sum(movements.amount), 0) as amount_of_documents

    from fct_deferred_revenue_monthly
    left join movements
        on
            fct_deferred_revenue_monthly.account_id = movements.account_id
            and fct_deferred_revenue_monthly.currency = movements.currency
            and fct_deferred_revenue_monthly.deferred_month >= movements.movement_month
    left join incomplete_accounts
        on fct_deferred_revenue_monthly.account_id = incomplete_accounts.account_id
    where incomplete_accounts.account_id is null
    group by
        fct_deferred_revenue_monthly.account_id,
        fct_deferred_revenue_monthly.currency,
        fct_deferred_revenue_monthly.deferred_month,
        fct_deferred_revenue_monthly.closing_amount

)

select * from final
where closing_amount != amount_of_documents
