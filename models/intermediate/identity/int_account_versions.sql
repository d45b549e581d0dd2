{%- set versions_of_account = '(partition by account_id order by saved_at asc nulls last)' -%}

with

country_regions as (

    select * from {{ ref('country_regions') }}

),

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

int_accounts_observed as (

    select * from {{ ref('int_accounts_observed') }}

),

snap_salesforce__accounts as (

    select * from {{ ref('snap_salesforce__accounts') }}

),

stg_salesforce__account_versions as (

    select * from {{ ref('stg_salesforce__account_versions') }}

),

-- The snapshot keeps versions that raw may have lost; raw has versions that landed late.
versions as (

    select
        salesforce_account_id,
        parent_salesforce_account_id,
        owner_salesforce_user_id,
        account_name,
        account_type,
        industry,
        website,
        billing_country,
        employee_count,
        is_deleted,
        system_modified_at

    from stg_salesforce__account_versions

    union all

    select
        snap_salesforce__accounts.salesforce_account_id,
        snap_salesforce__accounts.parent_salesforce_account_id,
        snap_salesforce__accounts.owner_salesforce_user_id,
        snap_salesforce__accounts.account_name,
        snap_salesforce__accounts.account_type,
        snap_salesforce__accounts.industry,
        snap_salesforce__accounts.website,
        snap_salesforce__accounts.billing_country,
        snap_salesforce__accounts.employee_count,
        snap_salesforce__accounts.is_deleted,
        snap_salesforce__accounts.system_modified_at

    from snap_salesforce__accounts
    left join stg_salesforce__account_versions
        on
            snap_salesforce__accounts.salesforce_account_id
            = stg_salesforce__account_versions.salesforce_account_id
            and snap_salesforce__accounts.system_modified_at
            = stg_salesforce__account_versions.system_modified_at
    where stg_salesforce__account_versions.salesforce_account_id is null

),

described as (

    select
        int_accounts_observed.account_id,
        versions.system_modified_at as saved_at,
        coalesce(
            versions.account_name,
            int_accounts_observed.observed_name,
            int_accounts_observed.account_id
        ) as account_name,
        nullif(parents.account_id, int_accounts_observed.account_id) as parent_account_id,
        versions.owner_salesforce_user_id as sales_rep_id,
        case
            when versions.employee_count >= 1000 then 'enterprise'
            when versions.employee_count >= 100 then 'mid_market'
            when versions.employee_count >= 0 then 'smb'
            else 'unknown'
        end as segment,
        versions.account_type,
        coalesce(versions.industry, int_accounts_observed.industry) as industry,
        coalesce(versions.billing_country, int_accounts_observed.country) as country,
        {{ website_domain('versions.website') }} as website_domain,
        versions.employee_count,
        coalesce(versions.is_deleted, false) as is_deleted

    from int_accounts_observed
    left join versions
        on int_accounts_observed.account_id = versions.salesforce_account_id
    left join int_account_identities as parents
        on
            versions.parent_salesforce_account_id = parents.foreign_id
            and parents.foreign_type = 'account'

),

with_regions as (

    select
        described.account_id,
        described.saved_at,
        described.account_name,
        described.parent_account_id,
        described.sales_rep_id,
        described.segment,
        described.account_type,
        described.industry,
        described.country,
        coalesce(country_regions.region, 'unknown') as region,
        described.website_domain,
        described.employee_count,
        described.is_deleted,
        concat_ws(
            '|',
            described.account_name,
            coalesce(described.parent_account_id, ''),
            coalesce(described.sales_rep_id, ''),
            coalesce(described.account_type, ''),
            coalesce(described.industry, ''),
            coalesce(described.country, ''),
            coalesce(described.website_domain, ''),
            coalesce(cast(described.employee_count as string), ''),
            described.is_deleted
        ) as state_digest

    from described
    left join country_regions
        on {{ normalised_name('described.country') }} = country_regions.country_key

),

-- Versions that change no column of this model are left out.
changes as (

    select
        account_id,
        saved_at,
        account_name,
        parent_account_id,
        sales_rep_id,
        segment,
        account_type,
        industry,
        country,
        region,
        website_domain,
        employee_count,
        is_deleted

    from with_regions
    qualify
        coalesce(
            state_digest
            != lag(state_digest) over (partition by account_id order by saved_at asc nulls last),
            true
        )

),

-- The first known version is assumed to be valid from the beginning.
final as (

    select
        account_id,
        cast(row_number() over {{ versions_of_account }} as integer) as version_number,
        account_name,
        parent_account_id,
        sales_rep_id,
        segment,
        account_type,
        industry,
        country,
        region,
        website_domain,
        employee_count,
        is_deleted,
        saved_at,
        case
            when row_number() over {{ versions_of_account }} = 1 then timestamp '1900-01-01'
            else saved_at
        end as valid_from_at,
        lead(saved_at) over {{ versions_of_account }} as valid_to_at,
        lead(saved_at) over {{ versions_of_account }} is null as is_current

    from changes

)

select * from final
