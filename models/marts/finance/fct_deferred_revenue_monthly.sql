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
        {{ month_start('billed_date') }} as movement_month,
        net_amount as billed_amount,
        net_usd as billed_usd,
        0 as recognized_amount,
        0 as recognized_usd,
        0 as unbilled_amount,
        0 as unbilled_usd

    from int_revenue_lines

    union all

    select
        fct_revenue_schedule.account_id,
        fct_revenue_schedule.currency,
        fct_revenue_schedule.revenue_month as movement_month,
        0 as billed_amount,
        0 as billed_usd,
        fct_revenue_schedule.recognized_to_date_amount as recognized_amount,
        fct_revenue_schedule.recognized_to_date_usd as recognized_usd,
        case
            when
                fct_revenue_schedule.revenue_month
                < {{ month_start('fct_revenue_schedule.billed_date') }}
                then fct_revenue_schedule.recognized_to_date_amount
            else 0
        end as unbilled_amount,
        case
            when
                fct_revenue_schedule.revenue_month
                < {{ month_start('fct_revenue_schedule.billed_date') }}
                then fct_revenue_schedule.recognized_to_date_usd
            else 0
        end as unbilled_usd

    from fct_revenue_schedule
    cross join int_as_of
    where fct_revenue_schedule.revenue_month <= int_as_of.as_of_date

    union all

    select
        account_id,
        currency,
        {{ month_start('billed_date') }} as movement_month,
        0 as billed_amount,
        0 as billed_usd,
        0 as recognized_amount,
        0 as recognized_usd,
        -recognized_to_date_amount as unbilled_amount,
        -recognized_to_date_usd as unbilled_usd

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
        months.deferred_month,
        cast(coalesce(sum(movements.billed_amount), 0) as decimal(28, 6)) as billed_amount,
        cast(coalesce(sum(movements.billed_usd), 0) as decimal(28, 6)) as billed_usd,
        cast(coalesce(sum(movements.recognized_amount), 0) as decimal(28, 6)) as recognized_amount,
        cast(coalesce(sum(movements.recognized_usd), 0) as decimal(28, 6)) as recognized_usd,
        cast(coalesce(sum(movements.unbilled_amount), 0) as decimal(28, 6)) as unbilled_amount,
        cast(coalesce(sum(movements.unbilled_usd), 0) as decimal(28, 6)) as unbilled_usd

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
        deferred_month,
        billed_amount,
        billed_usd,
        recognized_amount,
        recognized_usd,
        sum(billed_amount - recognized_amount) over to_month as closing_amount,
        sum(billed_usd - recognized_usd) over to_month as closing_usd,
        sum(unbilled_amount) over to_month as closing_unbilled_amount,
        sum(unbilled_usd) over to_month as closing_unbilled_usd

    from monthly
    window
        to_month as (
            partition by account_id, currency
            order by deferred_month
            rows between unbounded preceding and current row
        )

),

final as (

    select
        to_date.account_id,
        to_date.currency,
        to_date.deferred_month,
        {{ dbt.dateadd('month', 1, 'to_date.deferred_month') }}
        <= {{ dbt.dateadd('day', 1, 'int_as_of.as_of_date') }} as is_month_closed,
        cast(
            to_date.closing_amount - to_date.billed_amount + to_date.recognized_amount
            as decimal(28, 6)
        ) as opening_amount,
        to_date.billed_amount,
        to_date.recognized_amount,
        cast(to_date.closing_amount as decimal(28, 6)) as closing_amount,
        cast(to_date.closing_amount + to_date.closing_unbilled_amount as decimal(28, 6))
            as closing_deferred_amount,
        cast(to_date.closing_unbilled_amount as decimal(28, 6)) as closing_unbilled_amount,
        cast(
            to_date.closing_usd - to_date.billed_usd + to_date.recognized_usd as decimal(28, 6)
        ) as opening_usd,
        to_date.billed_usd,
        to_date.recognized_usd,
        cast(to_date.closing_usd as decimal(28, 6)) as closing_usd,
        cast(to_date.closing_usd + to_date.closing_unbilled_usd as decimal(28, 6))
            as closing_deferred_usd,
        cast(to_date.closing_unbilled_usd as decimal(28, 6)) as closing_unbilled_usd

    from to_date
    cross join int_as_of

)

select * from final
