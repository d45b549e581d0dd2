with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

spans as (

    select
        cast('2015-01-01' as date) as first_date,
        cast({{ dbt.dateadd('month', 24, month_start('as_of_date')) }} as date) as last_date

    from int_as_of

    union all

    select
        min(first_occurred_date) as first_date,
        max(last_occurred_date) as last_date

    from int_identity_signals

    union all

    select
        least(min(cast(created_at as date)), min(close_date)) as first_date,
        max(close_date) as last_date

    from stg_salesforce__opportunities

),

-- A clock that is wrong by centuries must not make millions of days.
final as (

    select
        greatest(min(first_date), cast('1990-01-01' as date)) as first_date,
        least(
            greatest(coalesce(max(last_date), min(first_date)), cast('2027-12-31' as date)),
            cast('2100-12-31' as date)
        ) as last_date

    from spans

)

select * from final
