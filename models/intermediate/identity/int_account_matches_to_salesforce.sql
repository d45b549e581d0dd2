with

int_parent_domains as (

    select * from {{ ref('int_parent_domains') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

int_unlinked_records as (

    select * from {{ ref('int_unlinked_records') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

named_ids as (

    select
        foreign_type,
        foreign_id,
        named_salesforce_account_id as salesforce_account_id,
        'names_account' as rule_name

    from int_unlinked_records
    where named_salesforce_account_id is not null

    union all

    -- A workspace that names a customer and a Salesforce account ties the two.
    select
        'customer' as foreign_type,
        named_stripe_customer_id as foreign_id,
        named_salesforce_account_id as salesforce_account_id,
        'named_beside_account' as rule_name

    from int_unlinked_records
    where
        foreign_type = 'workspace'
        and named_stripe_customer_id is not null
        and named_salesforce_account_id is not null

    union all

    select
        foreign_type,
        foreign_id,
        {{ salesforce_id18('foreign_id') }} as salesforce_account_id,
        'is_account_id' as rule_name

    from int_unlinked_records
    where foreign_type = 'workspace'

),

-- A named id of an account that the CRM never delivered still shows which records are one account.
-- Placeholders such as "none" do not have the prefix of an account id.
matches_by_id as (

    select
        named_ids.foreign_type,
        named_ids.foreign_id,
        coalesce(
            int_salesforce_accounts_known.account_id, named_ids.salesforce_account_id
        ) as account_id,
        named_ids.rule_name

    from named_ids
    left join int_salesforce_accounts_known
        on named_ids.salesforce_account_id = int_salesforce_accounts_known.salesforce_account_id
    where
        int_salesforce_accounts_known.account_id is not null
        or (named_ids.rule_name != 'is_account_id' and named_ids.salesforce_account_id like '001%')

),

-- The website and name of a merged account match its survivor.
accounts as (

    select
        int_salesforce_accounts_known.account_id,
        int_salesforce_accounts_known.is_merged,
        {{ website_domain('stg_salesforce__accounts.website') }} as account_domain,
        {{ normalised_name('stg_salesforce__accounts.account_name') }} as account_name_key,
        stg_salesforce__accounts.created_at

    from stg_salesforce__accounts
    inner join int_salesforce_accounts_known
        on
            stg_salesforce__accounts.salesforce_account_id
            = int_salesforce_accounts_known.salesforce_account_id
    left join stg_salesforce__accounts as survivors
        on int_salesforce_accounts_known.account_id = survivors.salesforce_account_id
    where not coalesce(survivors.is_deleted, false)

),

matches_by_attribute as (

    select
        int_unlinked_records.foreign_type,
        int_unlinked_records.foreign_id,
        int_unlinked_records.named_stripe_customer_id,
        accounts.account_id,
        case
            when int_parent_domains.labels_dropped = 0 then 'account_domain'
            else 'account_subdomain'
        end as rule_name,
        int_parent_domains.labels_dropped,
        coalesce(int_unlinked_records.name_key = accounts.account_name_key, false) as is_same_name,
        accounts.is_merged,
        accounts.created_at

    from int_unlinked_records
    inner join int_parent_domains
        on int_unlinked_records.record_domain = int_parent_domains.record_domain
    inner join accounts
        on int_parent_domains.domain = accounts.account_domain
    where not int_parent_domains.is_free

    union all

    select
        int_unlinked_records.foreign_type,
        int_unlinked_records.foreign_id,
        int_unlinked_records.named_stripe_customer_id,
        accounts.account_id,
        'account_name' as rule_name,
        0 as labels_dropped,
        true as is_same_name,
        accounts.is_merged,
        accounts.created_at

    from int_unlinked_records
    inner join accounts
        on int_unlinked_records.name_key = accounts.account_name_key

),

matches as (

    select
        foreign_type,
        foreign_id,
        account_id,
        rule_name,
        0 as labels_dropped,
        true as is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

    from matches_by_id

    union all

    select
        foreign_type,
        foreign_id,
        account_id,
        rule_name,
        labels_dropped,
        is_same_name,
        is_merged,
        created_at

    from matches_by_attribute

    union all

    -- A customer with no match of its own belongs to the account of the workspace that names it.
    select
        'customer' as foreign_type,
        named_stripe_customer_id as foreign_id,
        account_id,
        concat('named_by_', rule_name) as rule_name,
        labels_dropped,
        is_same_name,
        is_merged,
        created_at

    from matches_by_attribute
    where
        foreign_type = 'workspace'
        and named_stripe_customer_id is not null

),

final as (

    select
        foreign_type,
        foreign_id,
        account_id,
        rule_name,
        labels_dropped,
        bool_or(is_same_name) as is_same_name,
        bool_and(is_merged) as is_merged,
        min(created_at) as created_at

    from matches
    group by
        foreign_type,
        foreign_id,
        account_id,
        rule_name,
        labels_dropped

)

select * from final
