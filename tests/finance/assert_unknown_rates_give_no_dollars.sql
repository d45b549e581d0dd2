-- An amount whose month or currency is unknown has no dollars, not 0. The reporting currency needs
-- no rate at any date, and 0 needs none in any currency. The sample company has no such records, so
-- a reconciliation of the marts would miss a conversion that returns 0.
with

amounts as (

    select
        cast(10 as decimal(28, 6)) as amount,
        cast(null as decimal(20, 10)) as usd_per_unit,
        'EUR' as currency,
        cast(null as date) as rate_month,
        cast(null as decimal(28, 6)) as expected_usd

    union all

    select
        10 as amount,
        null as usd_per_unit,
        null as currency,
        cast('2026-01-01' as date) as rate_month,
        null as expected_usd

    union all

    select
        10 as amount,
        null as usd_per_unit,
        '{{ var("reporting_currency") }}' as currency,
        cast('2099-01-01' as date) as rate_month,
        10 as expected_usd

    union all

    select
        0 as amount,
        null as usd_per_unit,
        'EUR' as currency,
        cast('2018-01-01' as date) as rate_month,
        0 as expected_usd

),

converted as (

    select
        amount,
        currency,
        rate_month,
        expected_usd,
        {{ to_usd('amount') }} as amount_usd

    from amounts

)

select
    amount,
    currency,
    rate_month,
    expected_usd,
    amount_usd

from converted
where amount_usd is distinct from expected_usd
