-- Which accounts are behind each month's MRR movements?
with

fct_mrr_movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        fct_mrr_movements.mrr_month,
        fct_mrr_movements.account_id,
        dim_accounts.account_name,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        fct_mrr_movements.movement_type,
        fct_mrr_movements.mrr_usd

    from fct_mrr_movements
    left join dim_accounts
        on fct_mrr_movements.account_id = dim_accounts.account_id
    where fct_mrr_movements.is_month_closed

)

select * from final
order by
    mrr_month desc,
    abs(mrr_usd) desc,
    account_id asc
