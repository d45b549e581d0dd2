-- Proves that the receivables of every month-end are those of the month before, plus what was
-- billed, less what was collected, credited, written off and voided, for each account and currency,
-- and that only invoices that count as revenue are owed. Balances that are each derived from the
-- dates of their invoices look right on their own even where an invoice is missing from a month.
with

fct_receivables_monthly as (

    select * from {{ ref('fct_receivables_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_invoice_settlements_dated as (

    select * from {{ ref('int_invoice_settlements_dated') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

owed as (

    select
        int_invoices_dated.invoice_id,
        int_invoices_dated.account_id,
        int_invoices_dated.currency,
        int_invoices_dated.minor_unit_exponent,
        int_invoices_dated.finalized_at,
        int_invoices_dated.closed_at,
        int_invoices_dated.due_minor
    from int_invoices_dated
    cross join int_as_of
    where
        int_invoices_dated.is_revenue
        and int_invoices_dated.due_minor > 0
        and int_invoices_dated.finalized_at <= int_as_of.as_of_at

),

-- The first settlement that leaves nothing open ends the invoice.
settled as (

    select
        owed.invoice_id,
        int_invoice_settlements_dated.settled_at,
        least(
            owed.due_minor,
            sum(int_invoice_settlements_dated.settled_minor) over (
                partition by owed.invoice_id
                order by int_invoice_settlements_dated.settled_at
                range between unbounded preceding and current row
            )
        ) as settled_to_date_minor

    from owed
    inner join int_invoice_settlements_dated
        on owed.invoice_id = int_invoice_settlements_dated.invoice_id
    where
        owed.closed_at is null
        or owed.closed_at > int_invoice_settlements_dated.settled_at

),

reductions as (

    select distinct
        invoice_id,
        settled_at as reduced_at,
        settled_to_date_minor
    from settled

    union all

    -- Payment in full, write-off and voiding end all that is open.
    select
        invoice_id,
        closed_at as reduced_at,
        due_minor as settled_to_date_minor
    from owed
    where closed_at is not null

),

movements as (

    select
        account_id,
        currency,
        minor_unit_exponent,
        {{ month_start('finalized_at') }} as movement_month,
        due_minor as movement_minor
    from owed

    union all

    select
        owed.account_id,
        owed.currency,
        owed.minor_unit_exponent,
        {{ month_start('greatest(reductions.reduced_at, owed.finalized_at)') }} as movement_month,
        lag(reductions.settled_to_date_minor, 1, 0) over (
            partition by reductions.invoice_id
            order by reductions.reduced_at, reductions.settled_to_date_minor
        ) - reductions.settled_to_date_minor as movement_minor
    from reductions
    inner join owed
        on reductions.invoice_id = owed.invoice_id
    cross join int_as_of
    where reductions.reduced_at <= int_as_of.as_of_at

),

changes as (

    select
        account_id,
        currency,
        movement_month,
        sum({{ minor_to_major('movement_minor') }}) as amount
    from movements
    group by
        account_id,
        currency,
        movement_month

),

balances as (

    select
        account_id,
        currency,
        movement_month,
        sum(amount) over (
            partition by account_id, currency order by movement_month
        ) as expected_amount,
        lead(movement_month) over (
            partition by account_id, currency order by movement_month
        ) as next_month
    from changes

),

-- A balance holds until the next movement.
final as (

    select
        balances.account_id,
        balances.currency,
        balances.movement_month,
        balances.expected_amount,
        coalesce(fct_receivables_monthly.open_amount, 0) as open_amount
    from balances
    left join fct_receivables_monthly
        on
            balances.account_id = fct_receivables_monthly.account_id
            and balances.currency = fct_receivables_monthly.currency
            and balances.movement_month = fct_receivables_monthly.receivable_month

    union all

    select
        fct_receivables_monthly.account_id,
        fct_receivables_monthly.currency,
        fct_receivables_monthly.receivable_month as movement_month,
        coalesce(balances.expected_amount, 0) as expected_amount,
        fct_receivables_monthly.open_amount
    from fct_receivables_monthly
    left join balances
        on
            fct_receivables_monthly.account_id = balances.account_id
            and fct_receivables_monthly.currency = balances.currency
            and fct_receivables_monthly.receivable_month >= balances.movement_month
            and fct_receivables_monthly.receivable_month
            < coalesce(balances.next_month, date '9999-12-01')

)

select * from final
where expected_amount != open_amount
