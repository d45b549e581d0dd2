-- Proves that an account's months run without a gap up to the as-of month, and that each opens with
-- the closing figure of the month before, the first with 0. A check row by row would miss all of
-- this: a row foots with any opening figure, because `fx` is the remainder.
{%- set months = '(partition by account_id order by mrr_month)' %}

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
        lag(closing_mrr_usd, 1, 0) over {{ months }} as closing_before_usd,
        lag(mrr_month) over {{ months }} as month_before,
        lead(mrr_month) over {{ months }} as month_after

    from fct_mrr_monthly

)

select
    neighbours.account_id,
    neighbours.mrr_month,
    neighbours.opening_mrr_usd,
    neighbours.closing_before_usd
from neighbours
cross join int_as_of
where
    neighbours.opening_mrr_usd != neighbours.closing_before_usd
    or neighbours.mrr_month != {{ dbt.dateadd('month', 1, 'neighbours.month_before') }}
    or (
        neighbours.month_after is null
        and neighbours.mrr_month != {{ month_start('int_as_of.as_of_at') }}
    )
