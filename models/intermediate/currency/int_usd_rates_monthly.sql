with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

exchange_rates as (

    select * from {{ ref('exchange_rates') }}

),

newest_rates as (

    select max(rate_month) as newest_rate_month from exchange_rates

),

-- The reporting currency needs no seed, so its months begin where Unix timestamps do.
rated_currencies as (

    select
        currency,
        min(rate_month) as first_month,
        max_by(usd_per_unit, rate_month) as latest_usd_per_unit
    from exchange_rates
    where currency != '{{ var("reporting_currency") }}'
    group by currency

    union all

    select
        '{{ var("reporting_currency") }}' as currency,
        cast('1970-01-01' as date) as first_month,
        1 as latest_usd_per_unit

),

-- A document may be dated ahead, so the months go on for ten years.
last_months as (

    select
        int_as_of.as_of_at,
        cast({{ dbt.dateadd(
            'month', 120, 'greatest(' ~ month_start('int_as_of.as_of_at')
            ~ ', newest_rates.newest_rate_month)'
        ) }} as date) as last_month

    from int_as_of
    cross join newest_rates

),

currency_months as (

    select
        rated_currencies.currency,
        rated_currencies.latest_usd_per_unit,
        last_months.as_of_at,
        {{ explode(date_series(
            'rated_currencies.first_month', 'last_months.last_month', 'month'
        )) }} as rate_month

    from rated_currencies
    cross join last_months

),

own_rates as (

    select
        currency_months.currency,
        currency_months.rate_month,
        currency_months.latest_usd_per_unit,
        case
            when currency_months.currency = '{{ var("reporting_currency") }}' then 1
            else exchange_rates.usd_per_unit
        end as own_usd_per_unit,
        coalesce(
            {{ dbt.dateadd('month', 1, 'currency_months.rate_month') }}
            <= currency_months.as_of_at + interval 1 microsecond,
            false
        ) as is_ended

    from currency_months
    left join exchange_rates
        on
            currency_months.currency = exchange_rates.currency
            and currency_months.rate_month = exchange_rates.rate_month

),

-- Only a month that has not ended takes another month's rate. A gap has no rate.
final as (

    select
        currency,
        rate_month,
        cast(
            case
                when own_usd_per_unit is not null then own_usd_per_unit
                when not is_ended then latest_usd_per_unit
            end as decimal(20, 10)
        ) as usd_per_unit,
        is_ended and own_usd_per_unit is not null as is_final

    from own_rates

)

select * from final
