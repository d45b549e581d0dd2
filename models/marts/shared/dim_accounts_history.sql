with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_accounts_dated as (

    select * from {{ ref('int_accounts_dated') }}

),

accounts as (

    select distinct account_id
    from bridge_account_identities

),

-- An account that only billing documents name has one version without attributes.
final as (

    select
        accounts.account_id,
        coalesce(int_accounts_dated.version_number, 1) as version_number,
        coalesce(int_accounts_dated.account_name, accounts.account_id) as account_name,
        int_accounts_dated.parent_account_id,
        int_accounts_dated.sales_rep_id,
        coalesce(int_accounts_dated.segment, 'unknown') as segment,
        int_accounts_dated.account_type,
        int_accounts_dated.industry,
        int_accounts_dated.country,
        coalesce(int_accounts_dated.region, 'unknown') as region,
        int_accounts_dated.website_domain,
        int_accounts_dated.employee_count,
        coalesce(int_accounts_dated.is_deleted, false) as is_deleted,
        int_accounts_dated.saved_at,
        coalesce(int_accounts_dated.valid_from_at, timestamp '1900-01-01') as valid_from_at,
        int_accounts_dated.valid_to_at,
        coalesce(int_accounts_dated.is_current, true) as is_current

    from accounts
    left join int_accounts_dated
        on accounts.account_id = int_accounts_dated.account_id

)

select * from final
