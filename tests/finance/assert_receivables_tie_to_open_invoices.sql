-- Proves that the receivables that the warehouse derives from dates are, as of now, what Stripe
-- itself reports as remaining on the open invoices, for each account and currency. A report of
-- today's open invoices would agree with Stripe by definition and have every earlier month wrong.
-- Not checked where extracts are newer than the as-of instant, because Stripe's figures are then
-- of a later day.
with

fct_invoices as (

    select * from {{ ref('fct_invoices') }}

),

fct_receivables_monthly as (

    select * from {{ ref('fct_receivables_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

stated as (

    select
        account_id,
        currency,
        sum(remaining_amount) as remaining_amount
    from fct_invoices
    group by
        account_id,
        currency

),

receivables as (

    select
        fct_receivables_monthly.account_id,
        fct_receivables_monthly.currency,
        fct_receivables_monthly.open_amount

    from fct_receivables_monthly
    inner join int_as_of
        on fct_receivables_monthly.receivable_month = {{ month_start('int_as_of.as_of_date') }}

),

newest as (

    select max(observed_at) as extracted_at from int_invoices_dated

),

final as (

    select
        coalesce(stated.account_id, receivables.account_id) as account_id,
        coalesce(stated.currency, receivables.currency) as currency,
        coalesce(stated.remaining_amount, 0) as remaining_amount,
        coalesce(receivables.open_amount, 0) as open_amount

    from stated
    full join receivables
        on
            stated.account_id = receivables.account_id
            and stated.currency = receivables.currency
    cross join newest
    cross join int_as_of
    where newest.extracted_at <= int_as_of.as_of_at

)

select * from final
where remaining_amount != open_amount
