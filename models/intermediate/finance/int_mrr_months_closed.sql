with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

native as (

    select
        account_id,
        mrr_month,
        string_agg(currency || ' ' || cast(mrr as varchar), ', ' order by currency)
            as native_mrr
    from int_mrr_account_currencies_monthly
    where mrr != 0
    group by
        account_id,
        mrr_month

),

customers as (

    select
        account_id,
        string_agg(foreign_id, ', ' order by foreign_id) as stripe_customers
    from bridge_account_identities
    where source_system = 'stripe'
    group by account_id

),

final as (

    select
        fct_mrr_monthly.account_id,
        fct_mrr_monthly.mrr_month,
        fct_mrr_monthly.closing_mrr_usd,
        native.native_mrr,
        customers.stripe_customers,
        int_as_of.as_of_at

    from fct_mrr_monthly
    cross join int_as_of
    left join native
        on
            fct_mrr_monthly.account_id = native.account_id
            and fct_mrr_monthly.mrr_month = native.mrr_month
    left join customers
        on fct_mrr_monthly.account_id = customers.account_id
    where fct_mrr_monthly.is_month_closed

)

select * from final
