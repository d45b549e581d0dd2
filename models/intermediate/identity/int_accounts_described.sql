with

int_accounts_classified as (

    select * from {{ ref('int_accounts_classified') }}

),

int_account_versions as (

    select * from {{ ref('int_account_versions') }}

),

int_accounts_observed as (

    select * from {{ ref('int_accounts_observed') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

final as (

    select
        int_account_versions.account_id,
        int_account_versions.account_name,
        int_account_versions.parent_account_id,
        int_account_versions.sales_rep_id,

        int_account_versions.segment,
        int_account_versions.account_type,
        int_account_versions.industry,
        int_account_versions.country,
        int_account_versions.region,
        int_account_versions.website_domain,
        int_account_versions.employee_count,

        int_accounts_classified.is_internal,
        int_accounts_classified.is_test,
        int_account_versions.is_deleted,

        {{ salesforce_passthrough('Account', 'stg_salesforce__accounts') }}
        stg_salesforce__accounts.created_at as crm_created_at,
        int_accounts_observed.first_workspace_seen_at

    from int_account_versions
    inner join int_accounts_classified
        on int_account_versions.account_id = int_accounts_classified.account_id
    inner join int_accounts_observed
        on int_account_versions.account_id = int_accounts_observed.account_id
    left join stg_salesforce__accounts
        on int_account_versions.account_id = stg_salesforce__accounts.salesforce_account_id
    where int_account_versions.is_current

)

select * from final
