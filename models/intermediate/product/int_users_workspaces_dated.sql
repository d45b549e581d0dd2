with

int_identities_observed as (

    select * from {{ ref('int_identities_observed') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

first_seen as (

    select
        int_users_aliased.user_id,
        int_identities_observed.workspace_id,
        min(int_identities_observed.first_seen_at) as joined_at

    from int_identities_observed
    inner join int_users_aliased
        on int_identities_observed.user_id = int_users_aliased.sent_user_id
    where int_identities_observed.workspace_id is not null
    group by int_users_aliased.user_id, int_identities_observed.workspace_id

),

-- What a user did before being seen in a workspace leads there, so the first one has no beginning.
final as (

    select
        user_id,
        workspace_id,
        case
            when row_number() over (partition by user_id order by joined_at, workspace_id) > 1
                then joined_at
        end as valid_from_at,
        lead(joined_at) over (partition by user_id order by joined_at, workspace_id) as valid_to_at

    from first_seen

)

select * from final
