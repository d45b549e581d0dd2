-- Proves that, for each account and currency, each month opens with the closing balance of the
-- month before and no month is missing. The identity within a row holds by construction, even
-- where a month between two is missing.
{%- set account_months = '(partition by account_id, currency order by deferred_month)' %}

with

fct_deferred_revenue_monthly as (

    select * from {{ ref('fct_deferred_revenue_monthly') }}

),

final as (

    select
        account_id,
        currency,
        deferred_month,
        opening_amount,
        opening_usd,
        lag(closing_amount, 1, 0) over {{ account_months }} as closing_amount_before,
        lag(closing_usd, 1, 0) over {{ account_months }} as closing_usd_before,
        lag(deferred_month) over {{ account_months }} as month_before

    from fct_deferred_revenue_monthly

)

select * from final
where
    opening_amount != closing_amount_before
    or opening_usd != closing_usd_before
    or {{ dbt.dateadd('month', 1, 'month_before') }} != deferred_month
