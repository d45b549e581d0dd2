-- What were accounts expected to pay in the next twelve months, and what did they pay?
with

fct_account_ltv as (

    select * from {{ ref('fct_account_ltv') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        fct_account_ltv.as_of_month,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        sum(fct_account_ltv.expected_12_months_usd) as expected_12_months_usd,
        sum(fct_account_ltv.actual_12_months_usd) as actual_12_months_usd

    from fct_account_ltv
    left join dim_accounts
        on fct_account_ltv.account_id = dim_accounts.account_id
    where
        fct_account_ltv.expected_12_months_usd is not null
        and fct_account_ltv.actual_12_months_usd is not null
    group by
        fct_account_ltv.as_of_month,
        dim_accounts.segment,
        dim_accounts.region

)

select * from final
order by
    as_of_month,
    segment,
    region
