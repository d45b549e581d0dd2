-- MRR by the segment that accounts had at the end of each month, and by their segment today.
with

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

dim_accounts_history as (

    select * from {{ ref('dim_accounts_history') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

month_ends as (

    select
        account_id,
        mrr_month,
        cast({{ dbt.dateadd(
            'month', 1, 'mrr_month'
        ) }} as timestamp) - interval 1 microsecond as measured_at,
        closing_mrr_usd

    from fct_mrr_monthly

),

final as (

    select
        month_ends.mrr_month,
        dim_accounts_history.segment as segment_then,
        dim_accounts.segment as segment_now,
        count(*) as account_count,
        sum(month_ends.closing_mrr_usd) as closing_mrr_usd

    from month_ends
    inner join dim_accounts
        on month_ends.account_id = dim_accounts.account_id
    inner join dim_accounts_history
        on
            month_ends.account_id = dim_accounts_history.account_id
            and month_ends.measured_at >= dim_accounts_history.valid_from_at
            and (
                dim_accounts_history.valid_to_at is null
                or month_ends.measured_at < dim_accounts_history.valid_to_at
            )
    group by
        month_ends.mrr_month,
        dim_accounts_history.segment,
        dim_accounts.segment

)

select * from final
order by
    mrr_month,
    segment_then,
    segment_now
