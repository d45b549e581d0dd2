{%- set units = ['amount', 'usd'] %}
{%- set measures = [
    'billed_amount', 'reversed_amount', 'recognized_amount', 'contra_revenue_amount',
    'bad_debt_amount', 'unbilled_amount', 'billed_usd', 'reversed_usd', 'recognized_usd',
    'contra_revenue_usd', 'bad_debt_usd', 'unbilled_usd',
] %}

{%- set to_month = '(partition by account_id, currency order by deferred_month'
    ~ ' rows between unbounded preceding and current row)' -%}

with

fct_revenue_schedule as (

    select * from {{ ref('fct_revenue_schedule') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_revenue_lines as (

    select * from {{ ref('int_revenue_lines') }}

),

-- Revenue recognised in a month before the one that bills it is unbilled until that month.
movements as (

    select
        account_id,
        currency,
        {%- for unit in units %}
        case when revenue_line_type = 'invoice_line' then net_{{ unit }} else 0 end
            as billed_{{ unit }},
        case when revenue_line_type = 'invoice_line' then 0 else -net_{{ unit }} end
            as reversed_{{ unit }},
        0 as recognized_{{ unit }},
        0 as contra_revenue_{{ unit }},
        0 as bad_debt_{{ unit }},
        0 as unbilled_{{ unit }},
        {%- endfor %}
        {{ month_start('billed_date') }} as movement_month

    from int_revenue_lines

    union all

    select
        fct_revenue_schedule.account_id,
        fct_revenue_schedule.currency,
        {%- for unit in units %}
        0 as billed_{{ unit }},
        -fct_revenue_schedule.bad_debt_{{ unit }} as reversed_{{ unit }},
        fct_revenue_schedule.recognized_to_date_{{ unit }} as recognized_{{ unit }},
        fct_revenue_schedule.contra_revenue_{{ unit }},
        fct_revenue_schedule.bad_debt_{{ unit }},
        case
            when
                fct_revenue_schedule.revenue_month
                < {{ month_start('fct_revenue_schedule.billed_date') }}
                then fct_revenue_schedule.recognized_to_date_{{ unit }}
            else 0
        end as unbilled_{{ unit }},
        {%- endfor %}
        fct_revenue_schedule.revenue_month as movement_month

    from fct_revenue_schedule
    cross join int_as_of
    where fct_revenue_schedule.revenue_month <= int_as_of.as_of_date

    union all

    select
        account_id,
        currency,
        {%- for unit in units %}
        0 as billed_{{ unit }},
        0 as reversed_{{ unit }},
        0 as recognized_{{ unit }},
        0 as contra_revenue_{{ unit }},
        0 as bad_debt_{{ unit }},
        -recognized_to_date_{{ unit }} as unbilled_{{ unit }},
        {%- endfor %}
        {{ month_start('billed_date') }} as movement_month

    from fct_revenue_schedule
    where revenue_month < {{ month_start('billed_date') }}

),

months as (

    select
        movements.account_id,
        movements.currency,
        {{ explode(date_series(
            'min(movements.movement_month)',
            month_start('max(int_as_of.as_of_date)'),
            'month'
        )) }} as deferred_month

    from movements
    cross join int_as_of
    group by
        movements.account_id,
        movements.currency

),

monthly as (

    select
        months.account_id,
        months.currency,
        {%- for measure in measures %}
        cast(coalesce(sum(movements.{{ measure }}), 0) as decimal(28, 6)) as {{ measure }},
        {%- endfor %}
        months.deferred_month

    from months
    left join movements
        on
            months.account_id = movements.account_id
            and months.currency = movements.currency
            and months.deferred_month = movements.movement_month
    group by
        months.account_id,
        months.currency,
        months.deferred_month

),

to_date as (

    select
        account_id,
        currency,
        {{ measures | join(',\n        ') }},
        {%- for unit in units %}
        sum(billed_{{ unit }} - recognized_{{ unit }} - reversed_{{ unit }}) over {{ to_month }}
            as closing_{{ unit }},
        sum(unbilled_{{ unit }}) over {{ to_month }} as closing_unbilled_{{ unit }},
        {%- endfor %}
        deferred_month

    from monthly

),

final as (

    select
        to_date.account_id,
        to_date.currency,
        to_date.deferred_month,
        {%- for unit in units %}
        cast(
            to_date.closing_{{ unit }} - to_date.billed_{{ unit }} + to_date.recognized_{{ unit }}
            + to_date.reversed_{{ unit }} as decimal(28, 6)
        ) as opening_{{ unit }},
        to_date.billed_{{ unit }},
        to_date.reversed_{{ unit }},
        to_date.recognized_{{ unit }},
        to_date.contra_revenue_{{ unit }},
        to_date.bad_debt_{{ unit }},
        cast(to_date.closing_{{ unit }} as decimal(28, 6)) as closing_{{ unit }},
        cast(to_date.closing_{{ unit }} + to_date.closing_unbilled_{{ unit }} as decimal(28, 6))
            as closing_deferred_{{ unit }},
        cast(to_date.closing_unbilled_{{ unit }} as decimal(28, 6)) as closing_unbilled_{{ unit }},
        {%- endfor %}
        {{ is_month_closed('to_date.deferred_month', 'int_as_of.as_of_date') }} as is_month_closed

    from to_date
    cross join int_as_of

)

select * from final
