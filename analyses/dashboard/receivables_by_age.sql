-- How much is owed at the end of each month, and how long is it past due?
with

fct_receivables_monthly as (

    select * from {{ ref('fct_receivables_monthly') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        fct_receivables_monthly.receivable_month,
        fct_receivables_monthly.account_id,
        dim_accounts.account_name,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        sum(fct_receivables_monthly.open_usd) as open_usd,
        sum(fct_receivables_monthly.open_usd - fct_receivables_monthly.current_usd) as overdue_usd,
        sum(fct_receivables_monthly.current_usd) as current_usd,
        sum(fct_receivables_monthly.days_1_30_usd) as days_1_30_usd,
        sum(fct_receivables_monthly.days_31_60_usd) as days_31_60_usd,
        sum(fct_receivables_monthly.days_61_90_usd) as days_61_90_usd,
        sum(fct_receivables_monthly.over_90_days_usd) as over_90_days_usd,
        max(fct_receivables_monthly.max_days_past_due) as max_days_past_due

    from fct_receivables_monthly
    left join dim_accounts
        on fct_receivables_monthly.account_id = dim_accounts.account_id
    where fct_receivables_monthly.is_month_closed
    group by
        fct_receivables_monthly.receivable_month,
        fct_receivables_monthly.account_id,
        dim_accounts.account_name,
        coalesce(dim_accounts.segment, 'unknown'),
        coalesce(dim_accounts.region, 'unknown')

)

select * from final
order by
    receivable_month desc,
    open_usd desc,
    account_id asc
