with

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

int_segment_identities_linked as (

    select * from {{ ref('int_segment_identities_linked') }}

),

final as (

    select
        int_users_described.user_id,
        links.account_id,
        links.match_rule,
        links.match_confidence,
        int_users_described.workspace_id,
        int_users_described.user_name,
        int_users_described.email,
        int_users_described.title,
        int_users_described.is_internal
        or coalesce(links.is_internal, false) as is_internal,
        coalesce(links.is_test, false) as is_test,
        int_users_described.signed_up_at,
        int_users_described.first_seen_at,
        int_users_described.last_seen_at

    from int_users_described
    left join int_segment_identities_linked as links
        on
            int_users_described.user_id = links.foreign_id
            and links.foreign_type = 'user'

)

select * from final
