with

int_parent_domains as (

    select * from {{ ref('int_parent_domains') }}

),

int_unlinked_records as (

    select * from {{ ref('int_unlinked_records') }}

),

int_account_matches_to_salesforce as (

    select * from {{ ref('int_account_matches_to_salesforce') }}

),

first_links_of_customers as (

    select
        foreign_id,
        account_id

    from int_account_matches_to_salesforce
    where foreign_type = 'customer'
    qualify
        row_number() over (
            partition by foreign_id
            order by
                rule_number asc,
                labels_dropped asc,
                is_same_name desc,
                is_merged asc,
                created_at asc,
                account_id asc
        ) = 1

),

-- A customer without a link to the CRM is an account too.
customers as (

    select
        int_unlinked_records.foreign_id as stripe_customer_id,
        coalesce(
            first_links_of_customers.account_id, int_unlinked_records.foreign_id
        ) as account_id,
        first_links_of_customers.account_id is null as is_account,
        int_unlinked_records.record_domain,
        int_unlinked_records.name_key

    from int_unlinked_records
    left join first_links_of_customers
        on int_unlinked_records.foreign_id = first_links_of_customers.foreign_id
    where int_unlinked_records.foreign_type = 'customer'

),

segment_records as (

    select *
    from int_unlinked_records
    where source_system = 'segment'

),

links_by_customer as (

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        'explicit_id' as match_rule,
        3 as rule_number,
        0 as labels_dropped,
        true as is_same_name

    from segment_records
    inner join customers
        on segment_records.named_stripe_customer_id = customers.stripe_customer_id

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        'explicit_id' as match_rule,
        5 as rule_number,
        0 as labels_dropped,
        true as is_same_name

    from segment_records
    inner join customers
        on segment_records.foreign_id = customers.stripe_customer_id
    where segment_records.foreign_type = 'workspace'

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        case
            when int_parent_domains.labels_dropped = 0 then 'email_domain' else 'email_subdomain'
        end as match_rule,
        case when int_parent_domains.labels_dropped = 0 then 7 else 9 end as rule_number,
        int_parent_domains.labels_dropped,
        coalesce(segment_records.name_key = customers.name_key, false) as is_same_name

    from segment_records
    inner join int_parent_domains
        on segment_records.record_domain = int_parent_domains.record_domain
    inner join customers
        on int_parent_domains.domain = customers.record_domain
    where
        customers.is_account
        and not int_parent_domains.is_free

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        'exact_name' as match_rule,
        11 as rule_number,
        0 as labels_dropped,
        true as is_same_name

    from segment_records
    inner join customers
        on segment_records.name_key = customers.name_key
    where customers.is_account

),

final as (

    select
        foreign_type,
        foreign_id,
        account_id,
        match_rule,
        rule_number,
        labels_dropped,
        is_same_name,
        is_merged,
        created_at

    from int_account_matches_to_salesforce

    union all

    select
        foreign_type,
        foreign_id,
        account_id,
        match_rule,
        rule_number,
        labels_dropped,
        is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

    from links_by_customer

)

select * from final
