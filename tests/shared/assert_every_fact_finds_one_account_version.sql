-- Proves that every month, deal and invoice finds exactly one version of its account, however early
-- or late it is, so that a join to the history neither loses nor doubles a fact. The interval tests
-- of the history would miss accounts without history and facts before its start.
with

facts as (

    select
        'month' as fact,
        concat(account_id, mrr_month) as fact_id,
        account_id,
        cast(mrr_month as timestamp) as happened_at
    from {{ ref('fct_mrr_monthly') }}

    union all

    select
        'deal' as fact,
        opportunity_id as fact_id,
        account_id,
        coalesce(created_at, cast(close_date as timestamp)) as happened_at
    from {{ ref('fct_opportunities') }}
    where account_id is not null

    union all

    select
        'invoice' as fact,
        invoice_id as fact_id,
        account_id,
        created_at as happened_at
    from {{ ref('fct_invoices') }}

)

select
    facts.fact,
    facts.fact_id,
    count(history.account_id) as version_count
from facts
left join {{ ref('dim_accounts_history') }} as history
    on
        facts.account_id = history.account_id
        and facts.happened_at >= history.valid_from_at
        and (history.valid_to_at is null or facts.happened_at < history.valid_to_at)
where facts.happened_at is not null
group by
    facts.fact,
    facts.fact_id
having count(history.account_id) != 1
