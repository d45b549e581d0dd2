{#- Of the candidates of one record the first counts; it decides which account the record is in. -#}
{%- set precedence -%}
    rule_number asc,
    labels_dropped asc,
    is_same_name desc,
    is_merged asc,
    created_at asc nulls last,
    account_id asc
{%- endset %}

with

account_match_rules as (

    select * from {{ ref('account_match_rules') }}

),

int_account_matches_to_salesforce as (

    select * from {{ ref('int_account_matches_to_salesforce') }}

),

int_parent_domains as (

    select * from {{ ref('int_parent_domains') }}

),

int_unlinked_records as (

    select * from {{ ref('int_unlinked_records') }}

),

first_matches_of_customers as (

    select
        int_account_matches_to_salesforce.foreign_id as stripe_customer_id,
        int_account_matches_to_salesforce.account_id

    from int_account_matches_to_salesforce
    inner join account_match_rules
        on int_account_matches_to_salesforce.rule_name = account_match_rules.rule_name
    where int_account_matches_to_salesforce.foreign_type = 'customer'
    qualify
        row_number() over (
            partition by int_account_matches_to_salesforce.foreign_id order by {{ precedence }}
        ) = 1

),

-- A customer without a match in the CRM is an account of its own, which other records may match.
customers as (

    select
        int_unlinked_records.foreign_id as stripe_customer_id,
        coalesce(
            first_matches_of_customers.account_id, int_unlinked_records.foreign_id
        ) as account_id,
        first_matches_of_customers.account_id is null as is_account,
        int_unlinked_records.is_delivered,
        int_unlinked_records.record_domain,
        int_unlinked_records.name_key

    from int_unlinked_records
    left join first_matches_of_customers
        on int_unlinked_records.foreign_id = first_matches_of_customers.stripe_customer_id
    where int_unlinked_records.foreign_type = 'customer'

),

segment_records as (

    select
        foreign_type,
        foreign_id,
        named_stripe_customer_id,
        record_domain,
        name_key

    from int_unlinked_records
    where source_system = 'segment'

),

matches as (

    select
        foreign_type,
        foreign_id,
        account_id,
        rule_name,
        labels_dropped,
        is_same_name,
        is_merged,
        created_at

    from int_account_matches_to_salesforce

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        case
            when not customers.is_delivered then 'names_unseen_customer' else 'names_customer'
        end as rule_name,
        0 as labels_dropped,
        true as is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

    from segment_records
    inner join customers
        on segment_records.named_stripe_customer_id = customers.stripe_customer_id

    union all

    select
        segment_records.foreign_type,
        segment_records.foreign_id,
        customers.account_id,
        'is_customer_id' as rule_name,
        0 as labels_dropped,
        true as is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

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
            when int_parent_domains.labels_dropped = 0 then 'customer_domain'
            else 'customer_subdomain'
        end as rule_name,
        int_parent_domains.labels_dropped,
        coalesce(segment_records.name_key = customers.name_key, false) as is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

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
        'customer_name' as rule_name,
        0 as labels_dropped,
        true as is_same_name,
        false as is_merged,
        cast(null as timestamp) as created_at

    from segment_records
    inner join customers
        on segment_records.name_key = customers.name_key
    where customers.is_account

),

-- Candidates that only age or id puts in order match equally well.
final as (

    select
        matches.foreign_type,
        matches.foreign_id,
        matches.account_id,
        matches.rule_name,
        matches.labels_dropped,
        matches.is_same_name,
        account_match_rules.match_rule,
        account_match_rules.match_confidence,
        account_match_rules.tied_match_confidence,
        row_number() over (
            partition by matches.foreign_type, matches.foreign_id order by {{ precedence }}
        ) as candidate_number,
        count(*) over (
            partition by
                matches.foreign_type,
                matches.foreign_id,
                matches.rule_name,
                matches.labels_dropped,
                matches.is_same_name
        ) as equal_candidate_count

    from matches
    inner join account_match_rules
        on matches.rule_name = account_match_rules.rule_name

)

select * from final
