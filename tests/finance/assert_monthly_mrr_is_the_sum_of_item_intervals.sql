-- Proves that the closing MRR of every account and month is the sum in US dollars of the item
-- intervals at the month's last instant. A join from the mart to the intervals would miss accounts
-- and months that the mart lost, and a sum over all accounts would miss errors that cancel out.
with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_subscription_item_mrr as (

    select * from {{ ref('fct_subscription_item_mrr') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

exchange_rates as (

    select * from {{ ref('exchange_rates') }}

),

history as (

    select
        int_as_of.as_of_at,
        {{ month_start('min(fct_subscription_item_mrr.valid_from_at)') }} as first_month
    from fct_subscription_item_mrr
    cross join int_as_of
    group by int_as_of.as_of_at

),

months as (

    select
        as_of_at,
        {{ explode(date_series('first_month', month_start('as_of_at'), 'month')) }} as mrr_month
    from history

),

-- The first instant after the measured one, so that both bounds of an interval are tested.
measured_until as (

    select
        mrr_month,
        least(
            cast({{ dbt.dateadd(
                'month', 1, 'mrr_month'
            ) }} as timestamp), as_of_at + interval 1 microsecond
        ) as measured_until_at
    from months

),

latest_rates as (

    select
        currency,
        max_by(usd_per_unit, rate_month) as usd_per_unit
    from exchange_rates
    group by currency

),

from_intervals as (

    select
        fct_subscription_item_mrr.account_id,
        measured_until.mrr_month,
        cast(sum(
            fct_subscription_item_mrr.mrr
            * coalesce(exchange_rates.usd_per_unit, latest_rates.usd_per_unit)
        ) as decimal(28, 6)) as mrr_usd

    from measured_until
    inner join fct_subscription_item_mrr
        on
            measured_until.measured_until_at > fct_subscription_item_mrr.valid_from_at
            and (
                fct_subscription_item_mrr.valid_to_at is null
                or measured_until.measured_until_at <= fct_subscription_item_mrr.valid_to_at
            )
    inner join latest_rates
        on fct_subscription_item_mrr.currency = latest_rates.currency
    left join exchange_rates
        on
            fct_subscription_item_mrr.currency = exchange_rates.currency
            and measured_until.mrr_month = exchange_rates.rate_month
    where fct_subscription_item_mrr.mrr != 0
    group by
        fct_subscription_item_mrr.account_id,
        measured_until.mrr_month

),

both_sides as (

    select
        account_id,
        mrr_month,
        closing_mrr_usd as mart_usd,
        0 as intervals_usd
    from fct_mrr_monthly

    union all

    select
        account_id,
        mrr_month,
        0 as mart_usd,
        mrr_usd as intervals_usd
    from from_intervals

)

select
    account_id,
    mrr_month,
    sum(mart_usd) as mart_usd,
    sum(intervals_usd) as intervals_usd
from both_sides
group by
    account_id,
    mrr_month
having sum(mart_usd) != sum(intervals_usd)
