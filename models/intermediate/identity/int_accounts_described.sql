with

int_accounts_classified as (

    select * from {{ ref('int_accounts_classified') }}

),

int_accounts_dated as (

    select * from {{ ref('int_accounts_dated') }}

),

int_accounts_observed as (

    select * from {{ ref('int_accounts_observed') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

final as (

    select
        int_accounts_dated.account_id,
        int_accounts_dated.account_name,
        int_accounts_dated.parent_account_id,
        int_accounts_dated.sales_rep_id,

        int_accounts_dated.segment,
        int_accounts_dated.account_type,
        int_accounts_dated.industry,
        int_accounts_dated.country,
        int_accounts_dated.region,
        int_accounts_dated.website_domain,
        int_accounts_dated.employee_count,

        int_accounts_classified.is_internal,
        int_accounts_classified.is_test,
        int_accounts_dated.is_deleted,

        stg_salesforce__accounts.created_at as crm_created_at,
        int_accounts_observed.first_workspace_seen_at

    from int_accounts_dated
    inner join int_accounts_classified
        on int_accounts_dated.account_id = int_accounts_classified.account_id
    inner join int_accounts_observed
        on int_accounts_dated.account_id = int_accounts_observed.account_id
    left join stg_salesforce__accounts
        on int_accounts_dated.account_id = stg_salesforce__accounts.salesforce_account_id
    where int_accounts_dated.is_current

)

select * from final
