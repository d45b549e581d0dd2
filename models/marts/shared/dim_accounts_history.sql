with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

int_account_versions as (

    select * from {{ ref('int_account_versions') }}

),

accounts as (

    select distinct account_id
    from bridge_account_identities

),

-- An account that only billing documents name has one version without attributes.
final as (

    select
        accounts.account_id,
        coalesce(int_account_versions.version_number, 1) as version_number,
        coalesce(int_account_versions.account_name, accounts.account_id) as account_name,
        int_account_versions.parent_account_id,
        int_account_versions.sales_rep_id,
        coalesce(int_account_versions.segment, 'unknown') as segment,
        int_account_versions.account_type,
        int_account_versions.industry,
        int_account_versions.country,
        coalesce(int_account_versions.region, 'unknown') as region,
        int_account_versions.website_domain,
        int_account_versions.employee_count,
        coalesce(int_account_versions.is_deleted, false) as is_deleted,
        int_account_versions.saved_at,
        coalesce(int_account_versions.valid_from_at, timestamp '1900-01-01') as valid_from_at,
        int_account_versions.valid_to_at,
        coalesce(int_account_versions.is_current, true) as is_current

    from accounts
    left join int_account_versions
        on accounts.account_id = int_account_versions.account_id

)

select * from final
