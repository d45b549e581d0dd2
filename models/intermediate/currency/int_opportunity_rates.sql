{%- set first_date, last_date = "cast('0001-01-01' as date)", "cast('9999-12-31' as date)" %}

{%- set starts = '(partition by currency'
    ~ ' order by start_date asc nulls first, system_modified_at asc)' -%}

with

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

stg_salesforce__currency_types as (

    select * from {{ ref('stg_salesforce__currency_types') }}

),

stg_salesforce__dated_conversion_rates as (

    select * from {{ ref('stg_salesforce__dated_conversion_rates') }}

),

monthly_ranges as (

    select
        currency,
        min(rate_month) as first_month,
        coalesce(max(rate_month) filter (where is_final), min(rate_month)) as last_month
    from int_usd_rates_monthly
    group by currency

),

-- A deal may close before the first rate or in a month that has not ended.
monthly_rates as (

    select
        rates.currency,
        case
            when rates.rate_month > monthly_ranges.first_month then rates.rate_month
            else {{ first_date }}
        end as valid_from_date,
        case
            when rates.rate_month < monthly_ranges.last_month
                then cast({{ dbt.dateadd('month', 1, 'rates.rate_month') }} as date)
            else {{ last_date }}
        end as valid_to_date,
        rates.usd_per_unit

    from int_usd_rates_monthly as rates
    inner join monthly_ranges
        on
            rates.currency = monthly_ranges.currency
            and rates.rate_month between monthly_ranges.first_month and monthly_ranges.last_month

),

dated_rates as (

    select
        currency,
        case
            when lag(currency) over {{ starts }} is not null then start_date else {{ first_date }}
        end as valid_from_date,
        lead(start_date, 1, {{ last_date }}) over {{ starts }} as valid_to_date,
        units_per_corporate
    from stg_salesforce__dated_conversion_rates
    where units_per_corporate > 0

),

org_rates as (

    select
        currency,
        valid_from_date,
        valid_to_date,
        units_per_corporate
    from dated_rates

    union all

    select
        currency,
        {{ first_date }} as valid_from_date,
        {{ last_date }} as valid_to_date,
        units_per_corporate
    from stg_salesforce__currency_types
    where
        units_per_corporate > 0
        and currency not in (select dated_rates.currency from dated_rates)

),

-- Dollars for the corporate currency: the org's own rate, else that of the month.
corporate_rates as (

    select
        valid_from_date,
        valid_to_date,
        units_per_corporate as usd_per_corporate
    from org_rates
    where currency = '{{ var("reporting_currency") }}'

    union all

    select
        monthly_rates.valid_from_date,
        monthly_rates.valid_to_date,
        monthly_rates.usd_per_unit as usd_per_corporate

    from monthly_rates
    inner join stg_salesforce__currency_types as corporate
        on monthly_rates.currency = corporate.currency and corporate.is_corporate
    where '{{ var("reporting_currency") }}' not in (select org_rates.currency from org_rates)

),

salesforce_rates as (

    select
        org_rates.currency,
        greatest(org_rates.valid_from_date, corporate_rates.valid_from_date) as valid_from_date,
        least(org_rates.valid_to_date, corporate_rates.valid_to_date) as valid_to_date,
        cast(
            {{ ratio('corporate_rates.usd_per_corporate', 'org_rates.units_per_corporate') }}
            as decimal(20, 10)
        ) as usd_per_unit

    from org_rates
    inner join corporate_rates
        on
            org_rates.valid_from_date < corporate_rates.valid_to_date
            and org_rates.valid_to_date > corporate_rates.valid_from_date

),

final as (

    select
        currency,
        valid_from_date,
        valid_to_date,
        usd_per_unit
    from salesforce_rates
    where valid_from_date < valid_to_date

    union all

    select
        currency,
        valid_from_date,
        valid_to_date,
        usd_per_unit
    from monthly_rates
    where currency not in (select salesforce_rates.currency from salesforce_rates)

)

select * from final
