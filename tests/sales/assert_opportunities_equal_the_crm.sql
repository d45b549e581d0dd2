-- Proves that the mart has the CRM's deals that are not deleted, with their amounts, in each
-- currency. It finds a join that fans out, drops private deals or loses decimals. A count alone
-- would miss wrong amounts, and a sum alone two errors that cancel out.
with

in_crm as (

    select
        coalesce(currency, '') as currency_key,
        count(*) as deal_count,
        sum(amount) as total_amount
    from {{ ref('stg_salesforce__opportunities') }}
    where not is_deleted
    group by currency_key

),

in_mart as (

    select
        coalesce(stg_salesforce__opportunities.currency, '') as currency_key,
        count(*) as deal_count,
        sum(fct_opportunities.amount) as total_amount
    from {{ ref('fct_opportunities') }} as fct_opportunities
    left join {{ ref('stg_salesforce__opportunities') }} as stg_salesforce__opportunities
        on fct_opportunities.opportunity_id = stg_salesforce__opportunities.opportunity_id
    group by coalesce(stg_salesforce__opportunities.currency, '')

)

select
    in_crm.currency_key,
    in_crm.deal_count,
    in_mart.deal_count as mart_deal_count,
    in_crm.total_amount,
    in_mart.total_amount as mart_total_amount
from in_crm
left join in_mart
    on in_crm.currency_key = in_mart.currency_key
where
    in_mart.deal_count is null
    or in_crm.deal_count != in_mart.deal_count
    or in_crm.total_amount is distinct from in_mart.total_amount
