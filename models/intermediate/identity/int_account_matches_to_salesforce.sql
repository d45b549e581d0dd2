with

int_account_candidates as (

    select * from {{ ref('int_account_candidates') }}

),

int_parent_domains as (

    select * from {{ ref('int_parent_domains') }}

),

int_unlinked_records as (

    select * from {{ ref('int_unlinked_records') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

named_ids as (

    select
        foreign_type,
        foreign_id,
        named_salesforce_account_id as salesforce_account_id,
        1 as rule_number

    from int_unlinked_records
    where named_salesforce_account_id is not null

    union all

    -- A workspace that names a customer and a Salesforce account ties the two.
    select
        'customer' as foreign_type,
        named_stripe_customer_id as foreign_id,
        named_salesforce_account_id as salesforce_account_id,
        2 as rule_number

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
        4 as rule_number

    from int_unlinked_records
    where foreign_type = 'workspace'

),

-- An id that the CRM never delivered still says which records are one account; anything else in
-- its place, such as "none", does not look like an account's id.
named_accounts as (

    select
        named_ids.foreign_type,
        named_ids.foreign_id,
        coalesce(
            int_salesforce_accounts_known.account_id, named_ids.salesforce_account_id
        ) as account_id,
        named_ids.rule_number

    from named_ids
    left join int_salesforce_accounts_known
        on named_ids.salesforce_account_id = int_salesforce_accounts_known.salesforce_account_id
    where
        int_salesforce_accounts_known.account_id is not null
        or (named_ids.rule_number != 4 and named_ids.salesforce_account_id like '001%')

),

links as (

    select
        foreign_type,
        foreign_id,
        account_id,
        'explicit_id' as match_rule,
        rule_number,
        0 as labels_dropped,
        true as is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

    from named_accounts

    union all

    select
        int_unlinked_records.foreign_type,
        int_unlinked_records.foreign_id,
        int_account_candidates.account_id,
        case
            when int_parent_domains.labels_dropped = 0 then 'email_domain' else 'email_subdomain'
        end as match_rule,
        case when int_parent_domains.labels_dropped = 0 then 6 else 8 end as rule_number,
        int_parent_domains.labels_dropped,
        coalesce(
            int_unlinked_records.name_key = int_account_candidates.account_name_key, false
        ) as is_same_name,
        int_account_candidates.is_merged,
        int_account_candidates.created_at

    from int_unlinked_records
    inner join int_parent_domains
        on int_unlinked_records.record_domain = int_parent_domains.record_domain
    inner join int_account_candidates
        on int_parent_domains.domain = int_account_candidates.account_domain
    where not int_parent_domains.is_free

    union all

    select
        int_unlinked_records.foreign_type,
        int_unlinked_records.foreign_id,
        int_account_candidates.account_id,
        'exact_name' as match_rule,
        10 as rule_number,
        0 as labels_dropped,
        true as is_same_name,
        int_account_candidates.is_merged,
        int_account_candidates.created_at

    from int_unlinked_records
    inner join int_account_candidates
        on int_unlinked_records.name_key = int_account_candidates.account_name_key

),

-- A customer that nothing else ties belongs where the workspace does that names it.
links_by_workspace as (

    select
        'customer' as foreign_type,
        int_unlinked_records.named_stripe_customer_id as foreign_id,
        links.account_id,
        links.match_rule,
        links.rule_number + 6 as rule_number,
        links.labels_dropped,
        links.is_same_name,
        links.is_merged,
        links.created_at

    from links
    inner join int_unlinked_records
        on
            links.foreign_type = int_unlinked_records.foreign_type
            and links.foreign_id = int_unlinked_records.foreign_id
    where
        links.foreign_type = 'workspace'
        and links.match_rule != 'explicit_id'
        and int_unlinked_records.named_stripe_customer_id is not null

),

all_links as (

    select * from links

    union all

    select * from links_by_workspace

),

final as (

    select
        foreign_type,
        foreign_id,
        account_id,
        match_rule,
        rule_number,
        labels_dropped,
        bool_or(is_same_name) as is_same_name,
        bool_and(is_merged) as is_merged,
        min(created_at) as created_at

    from all_links
    group by
        foreign_type,
        foreign_id,
        account_id,
        match_rule,
        rule_number,
        labels_dropped

)

select * from final
