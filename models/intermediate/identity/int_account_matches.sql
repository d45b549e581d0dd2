with

int_account_match_candidates as (

    select * from {{ ref('int_account_match_candidates') }}

),

int_parent_domains as (

    select * from {{ ref('int_parent_domains') }}

),

int_salesforce_accounts_known as (

    select * from {{ ref('int_salesforce_accounts_known') }}

),

int_unlinked_records as (

    select * from {{ ref('int_unlinked_records') }}

),

first_candidates as (

    select
        foreign_type,
        foreign_id,
        account_id,
        rule_name,
        match_rule,
        case
            when equal_candidate_count > 1 then tied_match_confidence
            else match_confidence
        end as match_confidence,
        equal_candidate_count

    from int_account_match_candidates
    where candidate_number = 1

),

-- Evidence against the first candidate: another account named, or another account's domain.
other_candidates as (

    select
        first_candidates.foreign_type,
        first_candidates.foreign_id,
        min_by(candidates.account_id, candidates.candidate_number) filter (
            where
            candidates.account_id != first_candidates.account_id
            and candidates.rule_name = first_candidates.rule_name
        ) as equal_account_id,
        min_by(candidates.account_id, candidates.candidate_number) filter (
            where
            candidates.account_id != first_candidates.account_id
            and candidates.match_rule = 'explicit_id'
        ) as named_account_id,
        min_by(candidates.account_id, candidates.candidate_number) filter (
            where candidates.match_rule = 'email_domain'
        ) as domain_account_id,
        coalesce(
            bool_or(candidates.account_id = first_candidates.account_id) filter (
                where candidates.match_rule = 'email_domain'
            ),
            true
        ) as is_domain_its_own

    from first_candidates
    inner join int_account_match_candidates as candidates
        on
            first_candidates.foreign_type = candidates.foreign_type
            and first_candidates.foreign_id = candidates.foreign_id
    group by
        first_candidates.foreign_type,
        first_candidates.foreign_id

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
        first_candidates.account_id as matched_account_id,
        first_candidates.match_rule,
        first_candidates.match_confidence,
        other_candidates.equal_account_id,
        other_candidates.named_account_id,
        other_candidates.domain_account_id,
        case
            when
                first_candidates.account_id is null
                and int_unlinked_records.is_email_unverified
                then 'unverified_email'
            when first_candidates.account_id is null and free_domains.record_domain is not null
                then 'free_mail_domain'
            when
                first_candidates.account_id is null
                and int_unlinked_records.record_domain is null
                and int_unlinked_records.name_key is null
                then 'no_evidence'
            when first_candidates.account_id is null then 'no_candidate'
            when
                first_candidates.match_rule = 'explicit_id'
                and other_candidates.named_account_id is not null
                then 'conflicting_ids'
            when
                first_candidates.match_rule = 'explicit_id'
                and not other_candidates.is_domain_its_own
                then 'conflicting_domain'
            when
                first_candidates.rule_name in ('names_account', 'named_beside_account')
                and not coalesce(known.is_delivered, false)
                then 'unknown_account'
            when undelivered_customers.stripe_customer_id is not null then 'unknown_account'
            when
                first_candidates.match_rule = 'explicit_id'
                or first_candidates.equal_candidate_count = 1
                then null
            when first_candidates.match_rule = 'exact_name' then 'ambiguous_name'
            else 'ambiguous_domain'
        end as review_reason

    from int_unlinked_records
    left join first_candidates
        on
            int_unlinked_records.foreign_type = first_candidates.foreign_type
            and int_unlinked_records.foreign_id = first_candidates.foreign_id
    left join other_candidates
        on
            int_unlinked_records.foreign_type = other_candidates.foreign_type
            and int_unlinked_records.foreign_id = other_candidates.foreign_id
    left join free_domains
        on int_unlinked_records.record_domain = free_domains.record_domain
    left join int_salesforce_accounts_known as known
        on first_candidates.account_id = known.salesforce_account_id
    left join undelivered_customers
        on first_candidates.account_id = undelivered_customers.stripe_customer_id

),

-- A customer or workspace without a match is an account of its own; a user without one has none.
final as (

    select
        source_system,
        foreign_type,
        foreign_id,
        record_name,
        record_domain,
        is_delivered,
        case
            when matched_account_id is not null then matched_account_id
            when foreign_type != 'user' then foreign_id
        end as account_id,
        coalesce(match_rule, 'unmatched') as match_rule,
        coalesce(match_confidence, cast(0 as decimal(3, 2))) as match_confidence,
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
