with

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

int_identities_observed as (

    select * from {{ ref('int_identities_observed') }}

),

int_identity_calls as (

    select * from {{ ref('int_identity_calls') }}

),

activity as (

    select
        int_users_aliased.user_id,
        min(int_identities_observed.first_seen_at) as first_seen_at,
        max(int_identities_observed.last_seen_at) as last_seen_at

    from int_identities_observed
    inner join int_users_aliased
        on int_identities_observed.user_id = int_users_aliased.sent_user_id
    group by int_users_aliased.user_id

),

workspaces_of_users as (

    select
        int_users_aliased.user_id,
        int_identities_observed.workspace_id

    from int_identities_observed
    inner join int_users_aliased
        on int_identities_observed.user_id = int_users_aliased.sent_user_id
    where int_identities_observed.workspace_id is not null
    qualify
        row_number() over (
            partition by int_users_aliased.user_id
            order by
                int_identities_observed.last_seen_at desc,
                int_identities_observed.workspace_id asc
        ) = 1

),

identify_traits as (

    select
        int_users_aliased.user_id,
        nullif(lower(trim({{ json_string('int_identity_calls.traits', 'email') }})), '') as email,
        nullif(
            coalesce(
                {{ json_string('int_identity_calls.traits', 'name') }},
                concat_ws(
                    ' ',
                    {{ json_string('int_identity_calls.traits', 'firstName') }},
                    {{ json_string('int_identity_calls.traits', 'lastName') }}
                )
            ),
            ''
        ) as user_name,
        nullif({{ json_string('int_identity_calls.traits', 'title') }}, '') as title,
        {{ since_1990(utc_timestamp(json_string('int_identity_calls.traits', 'createdAt'))) }}
            as signed_up_at,
        int_identity_calls.call_number

    from int_identity_calls
    inner join int_users_aliased
        on int_identity_calls.user_id = int_users_aliased.sent_user_id
    where int_identity_calls.message_type = 'identify'

),

latest_traits as (

    select
        user_id,
        max_by(email, call_number) filter (where email is not null) as email,
        max_by(user_name, call_number) filter (where user_name is not null) as user_name,
        max_by(title, call_number) filter (where title is not null) as title,
        max_by(signed_up_at, call_number) filter (where signed_up_at is not null) as signed_up_at

    from identify_traits
    group by user_id

),

final as (

    select
        int_users_aliased.user_id,
        latest_traits.email,
        {{ email_domain('latest_traits.email') }} as email_domain,
        latest_traits.user_name,
        latest_traits.title,
        workspaces_of_users.workspace_id,
        coalesce(
            {{ email_domain('latest_traits.email') }} in (
                '{{ var("internal_email_domains") | join("', '") }}'
            ),
            false
        ) as is_internal,
        activity.first_seen_at,
        activity.last_seen_at,
        coalesce(latest_traits.signed_up_at, activity.first_seen_at) as signed_up_at

    from int_users_aliased
    left join activity
        on int_users_aliased.user_id = activity.user_id
    left join latest_traits
        on int_users_aliased.user_id = latest_traits.user_id
    left join workspaces_of_users
        on int_users_aliased.user_id = workspaces_of_users.user_id
    where int_users_aliased.sent_user_id = int_users_aliased.user_id

)

select * from final
