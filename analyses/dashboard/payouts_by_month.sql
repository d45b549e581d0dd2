-- How much reaches the bank each month, in each currency, and does it reconcile?
with

fct_payouts as (

    select * from {{ ref('fct_payouts') }}

),

final as (

    select
        {{ month_start('coalesce(arrival_date, cast(created_at as date))') }} as arrival_month,
        currency,
        coalesce(status, 'unknown') as payout_status,
        count(*) as payout_count,
        count(*) filter (where is_reconciled) as reconciled_count,
        sum(amount) as payout_amount

    from fct_payouts
    group by
        {{ month_start('coalesce(arrival_date, cast(created_at as date))') }},
        currency,
        coalesce(status, 'unknown')

)

select * from final
order by
    arrival_month desc,
    currency asc,
    payout_status asc
