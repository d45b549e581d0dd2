with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

months as (

    select
        account_id,
        mrr_month,
        cast(sum(case when mrr = 0 then 0 else mrr * usd_per_unit end) as decimal(28, 6))
            as closing_mrr_usd,
        {{ dbt.listagg(
            "currency || ' ' || cast(mrr as string)", "', '", 'order by currency'
        ) }} filter (where mrr != 0) as native_mrr

    from int_mrr_account_currencies_monthly
    where is_month_closed
    group by
        account_id,
        mrr_month

),

customers as (

    select
        account_id,
        {{ dbt.listagg(
            'stripe_customer_id', "', '", 'order by stripe_customer_id'
        ) }} as stripe_customers
    from int_customer_accounts
    group by account_id

),

final as (

    select
        months.account_id,
        months.mrr_month,
        months.closing_mrr_usd,
        months.native_mrr,
        customers.stripe_customers,
        int_as_of.as_of_at

    from months
    cross join int_as_of
    left join customers
        on months.account_id = customers.account_id

)

select * from final
