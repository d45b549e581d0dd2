{% snapshot snap_finance__revenue_monthly %}

{{
    config(
        unique_key=['account_id', 'revenue_month'],
        strategy='check',
        check_cols=['native_amounts', 'recognized_usd', 'deferred_usd', 'receivable_usd'],
        updated_at='as_of_at',
    )
}}

with

fct_revenue_monthly as (

    select * from {{ ref('fct_revenue_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

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
        fct_revenue_monthly.account_id,
        fct_revenue_monthly.revenue_month,
        fct_revenue_monthly.recognized_usd,
        fct_revenue_monthly.deferred_usd,
        fct_revenue_monthly.receivable_usd,
        fct_revenue_monthly.native_amounts,
        customers.stripe_customers,
        int_as_of.as_of_at

    from fct_revenue_monthly
    cross join int_as_of
    left join customers
        on fct_revenue_monthly.account_id = customers.account_id
    where fct_revenue_monthly.is_month_closed

)

select * from final

{% endsnapshot %}
