{#- A company whose user ids are addresses need not send them as a trait as well. -#}
{%- set email = 'coalesce(latest_traits.email, case when '
    ~ email_domain('int_users_aliased.user_id')
    ~ ' is not null then lower(trim(int_users_aliased.user_id)) end)' %}

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

identify_calls as (

    select
        int_users_aliased.user_id,
        int_identity_signals.traits,
        -- Traits in the context of other calls repeat an identify call, and count without one.
        row_number() over (
            order by
                coalesce(int_identity_signals.call_type = 'identify', false),
                int_identity_signals.last_seen_at,
                int_identity_signals.call_message_id nulls first,
                int_identity_signals.signal_key
        ) as call_number

    from int_identity_signals
    inner join int_users_aliased
        on int_identity_signals.user_id = int_users_aliased.sent_user_id
    where
        int_identity_signals.traits is not null
        and coalesce(int_identity_signals.call_type, 'identify') = 'identify'

),

identify_traits as (

    select
        user_id,
        traits.email,
        traits.name as user_name,
        traits.title,
        -- A clock before 1990 was not set.
        case
            when traits.created_at >= cast('1990-01-01' as timestamp) then traits.created_at
        end as signed_up_at,
        traits.salesforce_account_id,
        traits.stripe_customer_id,
        traits.is_email_verified,
        call_number

    from identify_calls

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
        max_by(is_email_verified, call_number) filter (
            where is_email_verified is not null
        ) as is_email_verified

    from identify_traits
    group by user_id

),

final as (

    select
        int_users_aliased.user_id,
        {{ email }} as email,
        {{ email_domain(email) }} as email_domain,
        latest_traits.user_name,
        latest_traits.title,
        workspaces_of_users.workspace_id,
        {{ salesforce_id18('latest_traits.salesforce_account_id') }} as salesforce_account_id,
        latest_traits.stripe_customer_id,
        coalesce(not latest_traits.is_email_verified, false) as is_email_unverified,
        coalesce(
            {{ email_domain(email) }} in (
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
