-- Proves that each record is matched with a confidence that the seed gives to its rule, the lower
-- one only with a doubt for review. A check of the range alone would miss a confidence of another
-- rule, by which dashboards leave out accounts.
with

account_match_rules as (

    select * from {{ ref('account_match_rules') }}

),

int_account_matches as (

    select * from {{ ref('int_account_matches') }}

),

allowed as (

    select
        match_rule,
        match_confidence,
        false as is_tied
    from account_match_rules

    union

    select
        match_rule,
        tied_match_confidence as match_confidence,
        true as is_tied
    from account_match_rules

    union

    select
        'unmatched' as match_rule,
        cast(0 as decimal(3, 2)) as match_confidence,
        false as is_tied

)

select
    int_account_matches.foreign_type,
    int_account_matches.foreign_id,
    int_account_matches.match_rule,
    int_account_matches.match_confidence
from int_account_matches
left join allowed
    on
        int_account_matches.match_rule = allowed.match_rule
        and int_account_matches.match_confidence = allowed.match_confidence
        and case
            when allowed.is_tied then int_account_matches.review_reason is not null
            else
                coalesce(int_account_matches.review_reason, '')
                not in ('ambiguous_name', 'ambiguous_domain')
        end
where allowed.match_rule is null
