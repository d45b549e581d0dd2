-- How much of MRR is with the largest customers?
with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

last_month as (

    select max(mrr_month) as mrr_month
    from fct_mrr_monthly
    where is_month_closed

),

ranked as (

    select
        fct_mrr_monthly.account_id,
        fct_mrr_monthly.closing_mrr_usd,
        row_number() over largest_first as rank_number,
        sum(fct_mrr_monthly.closing_mrr_usd) over largest_first as cumulative_mrr_usd,
        sum(fct_mrr_monthly.closing_mrr_usd) over () as total_mrr_usd

    from fct_mrr_monthly
    inner join last_month
        on fct_mrr_monthly.mrr_month = last_month.mrr_month
    where fct_mrr_monthly.closing_mrr_usd > 0
    window
        largest_first as (
            order by fct_mrr_monthly.closing_mrr_usd desc, fct_mrr_monthly.account_id asc
            rows between unbounded preceding and current row
        )

),

final as (

    select
        ranked.rank_number,
        ranked.account_id,
        dim_accounts.account_name,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        ranked.closing_mrr_usd,
        ranked.total_mrr_usd,
        {{ ratio('ranked.closing_mrr_usd', 'ranked.total_mrr_usd') }} as mrr_share_rate,
        {{ ratio('ranked.cumulative_mrr_usd', 'ranked.total_mrr_usd') }} as cumulative_share_rate

    from ranked
    left join dim_accounts
        on ranked.account_id = dim_accounts.account_id

)

select * from final
order by rank_number
