with recursive

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

aliases as (

    select
        previous_id,
        user_id

    from int_identity_signals
    where
        call_type = 'alias'
        and previous_id != user_id
    qualify
        row_number() over (
            partition by previous_id order by last_seen_at desc, call_message_id desc
        ) = 1

),

-- Ids can be aliased more than once. The limit ends a cycle, which only corrupt data has: all its
-- ids then resolve to the one that sorts first.
alias_chains as (

    select
        previous_id,
        user_id,
        1 as hop_number

    from aliases

    union all

    select
        alias_chains.previous_id,
        aliases.user_id,
        alias_chains.hop_number + 1 as hop_number

    from alias_chains
    inner join aliases
        on alias_chains.user_id = aliases.previous_id
    where alias_chains.hop_number < 20

),

last_aliases as (

    select
        previous_id,
        case
            when max(hop_number) < 20 then max_by(user_id, hop_number)
            else min(user_id) filter (where hop_number > 10)
        end as user_id

    from alias_chains
    group by previous_id

),

known_ids as (

    select user_id from int_identity_signals

    union distinct

    select previous_id as user_id from last_aliases

    union distinct

    select user_id from last_aliases

),

final as (

    select
        known_ids.user_id as sent_user_id,
        coalesce(last_aliases.user_id, known_ids.user_id) as user_id

    from known_ids
    left join last_aliases
        on known_ids.user_id = last_aliases.previous_id
    where known_ids.user_id is not null

)

select * from final
