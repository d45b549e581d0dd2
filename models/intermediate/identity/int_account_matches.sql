with

int_parent_domains as (

    select * from {{ ref('int_parent_domains') }}

),

int_unlinked_records as (

    select * from {{ ref('int_unlinked_records') }}

),

int_account_match_candidates as (

    select * from {{ ref('int_account_match_candidates') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

-- Links of one rule that only the order of creation or of ids can tell apart are equal candidates.
ranked as (

    select
        *,
        row_number() over (
            partition by foreign_type, foreign_id
            order by
                rule_number asc,
                labels_dropped asc,
                is_same_name desc,
                is_merged asc,
                created_at asc,
                account_id asc
        ) as link_number,
        count(*) over (
            partition by foreign_type, foreign_id, rule_number, labels_dropped, is_same_name
        ) as candidate_count

    from int_account_match_candidates

),

first_links as (

    select *
    from ranked
    where link_number = 1

),

-- What else is said of the record: another account named, or another account's domain.
other_links as (

    select
        first_links.foreign_type,
        first_links.foreign_id,
        min_by(ranked.account_id, ranked.link_number) filter (
            where
            ranked.account_id != first_links.account_id
            and ranked.rule_number = first_links.rule_number
        ) as equal_account_id,
        min_by(ranked.account_id, ranked.link_number) filter (
            where
            ranked.account_id != first_links.account_id
            and ranked.match_rule = 'explicit_id'
        ) as named_account_id,
        min_by(ranked.account_id, ranked.link_number) filter (
            where ranked.match_rule = 'email_domain'
        ) as domain_account_id,
        coalesce(
            bool_or(ranked.account_id = first_links.account_id) filter (
                where ranked.match_rule = 'email_domain'
            ),
            true
        ) as is_domain_its_own

    from first_links
    inner join ranked
        on
            first_links.foreign_type = ranked.foreign_type
            and first_links.foreign_id = ranked.foreign_id
    group by
        first_links.foreign_type,
        first_links.foreign_id

),

free_domains as (

    select distinct record_domain
    from int_parent_domains
    where is_free

),

undelivered_customers as (

    select foreign_id as stripe_customer_id
    from int_unlinked_records
    where
        foreign_type = 'customer'
        and not is_delivered

),

reviewed as (

    select
        int_unlinked_records.source_system,
        int_unlinked_records.foreign_type,
        int_unlinked_records.foreign_id,
        int_unlinked_records.record_name,
        int_unlinked_records.record_domain,
        int_unlinked_records.is_delivered,
        first_links.account_id as linked_account_id,
        coalesce(first_links.match_rule, 'unmatched') as match_rule,
        coalesce(first_links.candidate_count, 0) as candidate_count,
        other_links.equal_account_id,
        other_links.named_account_id,
        other_links.domain_account_id,
        case
            when
                first_links.account_id is null
                and int_unlinked_records.is_email_unverified
                then 'unverified_email'
            when first_links.account_id is null and free_domains.record_domain is not null
                then 'free_mail_domain'
            when
                first_links.account_id is null
                and int_unlinked_records.record_domain is null
                and int_unlinked_records.name_key is null
                then 'no_evidence'
            when first_links.account_id is null then 'no_candidate'
            when first_links.match_rule = 'explicit_id' and other_links.named_account_id is not null
                then 'conflicting_ids'
            when first_links.match_rule = 'explicit_id' and not other_links.is_domain_its_own
                then 'conflicting_domain'
            when first_links.rule_number <= 2 and not coalesce(known.is_delivered, false)
                then 'unknown_account'
            when undelivered_customers.stripe_customer_id is not null then 'unknown_account'
            when first_links.match_rule = 'explicit_id' or first_links.candidate_count = 1 then null
            when first_links.match_rule = 'exact_name' then 'ambiguous_name'
            else 'ambiguous_domain'
        end as review_reason

    from int_unlinked_records
    left join first_links
        on
            int_unlinked_records.foreign_type = first_links.foreign_type
            and int_unlinked_records.foreign_id = first_links.foreign_id
    left join other_links
        on
            int_unlinked_records.foreign_type = other_links.foreign_type
            and int_unlinked_records.foreign_id = other_links.foreign_id
    left join free_domains
        on int_unlinked_records.record_domain = free_domains.record_domain
    left join int_salesforce_accounts_known as known
        on first_links.account_id = known.salesforce_account_id
    left join undelivered_customers
        on first_links.account_id = undelivered_customers.stripe_customer_id

),

-- A customer or workspace without a link is an account of its own; a person is none.
final as (

    select
        source_system,
        foreign_type,
        foreign_id,
        record_name,
        record_domain,
        is_delivered,
        case
            when linked_account_id is not null then linked_account_id
            when foreign_type != 'user' then foreign_id
        end as account_id,
        match_rule,
        cast(
            case
                when match_rule = 'unmatched' then 0
                when candidate_count > 1 then 0.5
                when match_rule = 'explicit_id' then 1
                when match_rule = 'email_domain' then 0.9
                when match_rule = 'email_subdomain' then 0.8
                else 0.7
            end as decimal(3, 2)
        ) as match_confidence,
        review_reason,
        case review_reason
            when 'conflicting_ids' then named_account_id
            when 'conflicting_domain' then domain_account_id
            when 'ambiguous_domain' then equal_account_id
            when 'ambiguous_name' then equal_account_id
        end as other_account_id

    from reviewed

)

select * from final
