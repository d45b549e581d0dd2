with

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

seen as (

    select
        int_users_aliased.user_id,
        int_identity_signals.workspace_id,
        min(int_identity_signals.first_seen_at) as first_seen_at,
        max(int_identity_signals.last_seen_at) as last_seen_at

    from int_identity_signals
    inner join int_users_aliased
        on int_identity_signals.user_id = int_users_aliased.sent_user_id
    group by int_users_aliased.user_id, int_identity_signals.workspace_id

),

activity as (

    select
        user_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at

    from seen
    group by user_id

),

workspaces_of_users as (

    select
        user_id,
        workspace_id

    from seen
    where workspace_id is not null
    qualify
        row_number() over (partition by user_id order by last_seen_at desc, workspace_id asc) = 1

),

identify_traits as (

    select
        int_users_aliased.user_id,
        nullif(lower(trim({{ json_string('int_identity_signals.traits', 'email') }})), '') as email,
        nullif(
            coalesce(
                {{ json_string('int_identity_signals.traits', 'name') }},
                concat_ws(
                    ' ',
                    {{ json_string('int_identity_signals.traits', 'firstName') }},
                    {{ json_string('int_identity_signals.traits', 'lastName') }}
                )
            ),
            ''
        ) as user_name,
        nullif({{ json_string('int_identity_signals.traits', 'title') }}, '') as title,
        -- A clock before 1990 was not set.
        case
            when {{ utc_timestamp(json_string('int_identity_signals.traits', 'createdAt')) }}
                >= cast('1990-01-01' as timestamp)
                then {{ utc_timestamp(json_string('int_identity_signals.traits', 'createdAt')) }}
        end as signed_up_at,
        {{ json_first_string(
            'int_identity_signals.traits', var('salesforce_account_id_fields')
        ) }} as salesforce_account_id,
        {{ json_first_string(
            'int_identity_signals.traits', var('stripe_customer_id_fields')
        ) }} as stripe_customer_id,
        lower({{ json_first_string(
            'int_identity_signals.traits', var('email_verified_fields')
        ) }}) as email_verified,
        row_number() over (
            order by int_identity_signals.last_seen_at, int_identity_signals.call_message_id
        ) as call_number

    from int_identity_signals
    inner join int_users_aliased
        on int_identity_signals.user_id = int_users_aliased.sent_user_id
    where int_identity_signals.call_type = 'identify'

),

latest_traits as (

    select
        user_id,
        max_by(email, call_number) filter (where email is not null) as email,
        max_by(user_name, call_number) filter (where user_name is not null) as user_name,
        max_by(title, call_number) filter (where title is not null) as title,
        max_by(signed_up_at, call_number) filter (where signed_up_at is not null) as signed_up_at,
        max_by(salesforce_account_id, call_number) filter (
            where salesforce_account_id is not null
        ) as salesforce_account_id,
        max_by(stripe_customer_id, call_number) filter (
            where stripe_customer_id is not null
        ) as stripe_customer_id,
        max_by(email_verified, call_number) filter (
            where email_verified is not null
        ) as email_verified

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
        {{ salesforce_id18('latest_traits.salesforce_account_id') }} as salesforce_account_id,
        latest_traits.stripe_customer_id,
        coalesce(latest_traits.email_verified in ('false', '0', 'no'), false)
            as is_email_unverified,
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
