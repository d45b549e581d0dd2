{%- set components = [
    'sales', 'refunds', 'disputes', 'fees', 'payouts', 'adjustments', 'other',
] -%}

with

fct_balance_transactions as (

    select * from {{ ref('fct_balance_transactions') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

currencies as (

    select
        currency,
        min(cast(created_at as date)) as first_date,
        max(cast(created_at as date)) as last_date

    from fct_balance_transactions
    group by currency

),

days as (

    select
        currencies.currency,
        {{ explode(date_series(
            'currencies.first_date',
            'greatest(currencies.last_date, int_as_of.as_of_date)',
            'day'
        )) }} as balance_date
    from currencies
    cross join int_as_of

),

movements as (

    select
        currency,
        cast(created_at as date) as balance_date,
        count(*) as transaction_count,
        {%- for component in components if component != 'fees' %}
        sum(case when balance_component = '{{ component }}' then amount else 0 end)
            as {{ component }},
        {%- endfor %}
        sum(total_fee_amount) as fees,
        sum(net_amount) as net_amount

    from fct_balance_transactions
    group by
        currency,
        cast(created_at as date)

),

final as (

    select
        days.balance_date,
        days.currency,
        cast(
            coalesce(
                sum(movements.net_amount) over (
                    partition by days.currency
                    order by days.balance_date
                    rows between unbounded preceding and 1 preceding
                ),
                0
            ) as decimal(28, 6)
        ) as opening_balance_amount,
        {%- for component in components %}
        cast(coalesce(movements.{{ component }}, 0) as decimal(28, 6)) as {{ component }},
        {%- endfor %}
        cast(
            coalesce(
                sum(movements.net_amount) over (
                    partition by days.currency
                    order by days.balance_date
                    rows between unbounded preceding and current row
                ),
                0
            ) as decimal(28, 6)
        ) as closing_balance_amount,
        cast(coalesce(movements.transaction_count, 0) as integer) as transaction_count

    from days
    left join movements
        on
            days.currency = movements.currency
            and days.balance_date = movements.balance_date

)

select * from final
