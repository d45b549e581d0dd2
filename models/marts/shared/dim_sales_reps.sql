with

stg_salesforce__users as (

    select * from {{ ref('stg_salesforce__users') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

stg_salesforce__contacts as (

    select * from {{ ref('stg_salesforce__contacts') }}

),

owners as (

    select owner_salesforce_user_id from stg_salesforce__accounts

    union distinct

    select owner_salesforce_user_id from stg_salesforce__opportunities

    union distinct

    select owner_salesforce_user_id from stg_salesforce__contacts

),

sales_reps as (

    select salesforce_user_id as sales_rep_id from stg_salesforce__users

    union distinct

    select owner_salesforce_user_id as sales_rep_id from owners

),

final as (

    select
        sales_reps.sales_rep_id,
        coalesce(stg_salesforce__users.user_name, sales_reps.sales_rep_id) as sales_rep_name,
        stg_salesforce__users.email,
        stg_salesforce__users.title,
        stg_salesforce__users.department,
        stg_salesforce__users.manager_salesforce_user_id as manager_sales_rep_id,
        stg_salesforce__users.is_active,
        owners.owner_salesforce_user_id is not null as is_owner,
        {{ salesforce_passthrough('User', 'stg_salesforce__users') }}
        stg_salesforce__users.created_at

    from sales_reps
    left join stg_salesforce__users
        on sales_reps.sales_rep_id = stg_salesforce__users.salesforce_user_id
    left join owners
        on sales_reps.sales_rep_id = owners.owner_salesforce_user_id
    where sales_reps.sales_rep_id is not null

)

select * from final
