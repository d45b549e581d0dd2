-- Proves that an account's months follow each other without a gap up to the as-of month, each
-- opening with what the one before closed with, the first with nothing. Written the easy way, row
-- by row, it would miss all of it: a row foots whatever it opens with, since `fx` takes what is
-- left.
with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

neighbours as (

    select
        account_id,
        mrr_month,
        opening_mrr_usd,
        lag(closing_mrr_usd, 1, 0) over months as closing_before_usd,
        lag(mrr_month) over months as month_before,
        lead(mrr_month) over months as month_after

    from fct_mrr_monthly
    window months as (partition by account_id order by mrr_month)

)

select neighbours.*
from neighbours
cross join int_as_of
where
    neighbours.opening_mrr_usd != neighbours.closing_before_usd
    or neighbours.mrr_month != {{ dbt.dateadd('month', 1, 'neighbours.month_before') }}
    or (
        neighbours.month_after is null
        and neighbours.mrr_month != {{ month_start('int_as_of.as_of_at') }}
    )
