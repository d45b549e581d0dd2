with

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

int_users_described as (

    select * from {{ ref('int_users_described') }}

),

free_email_domains as (

    select * from {{ ref('free_email_domains') }}

),

workspaces as (

    select
        workspace_id,
        min(first_seen_at) as first_seen_at

    from int_identity_signals
    where workspace_id is not null
    group by workspace_id

),

-- Every member's browser sends the same traits of a workspace.
group_calls as (

    select
        workspace_id,
        traits,
        row_number() over (order by max(last_seen_at), min(call_message_id)) as call_number

    from int_identity_signals
    where
        call_type = 'group'
        and traits is not null
    group by workspace_id, traits

),

group_traits as (

    select
        workspace_id,
        traits.salesforce_account_id,
        traits.stripe_customer_id,
        traits.name as workspace_name,
        traits.industry,
        {{ website_domain('traits.website') }} as website_domain,
        traits.is_test,
        call_number

    from group_calls

),

latest_traits as (

    select
        workspace_id,
        max_by(salesforce_account_id, call_number) filter (
            where salesforce_account_id is not null
        ) as salesforce_account_id,
        max_by(stripe_customer_id, call_number) filter (
            where stripe_customer_id is not null
        ) as stripe_customer_id,
        max_by(workspace_name, call_number) filter (
            where workspace_name is not null
        ) as workspace_name,
        max_by(industry, call_number) filter (where industry is not null) as industry,
        max_by(website_domain, call_number) filter (
            where website_domain is not null
        ) as website_domain,
        coalesce(max_by(is_test, call_number) filter (where is_test is not null), false) as is_test

    from group_traits
    group by workspace_id

),

domains_of_users as (

    select
        int_users_described.workspace_id,
        int_users_described.email_domain,
        count(*) as user_count

    from int_users_described
    left join free_email_domains
        on int_users_described.email_domain = free_email_domains.email_domain
    where
        int_users_described.workspace_id is not null
        and int_users_described.email_domain is not null
        and not int_users_described.is_internal
        and free_email_domains.email_domain is null
        and not int_users_described.is_email_unverified
    group by int_users_described.workspace_id, int_users_described.email_domain

),

commonest_domains as (

    select
        workspace_id,
        email_domain

    from domains_of_users
    qualify
        row_number() over (partition by workspace_id order by user_count desc, email_domain asc) = 1

),

final as (

    select
        workspaces.workspace_id,
        {{ salesforce_id18('latest_traits.salesforce_account_id') }} as salesforce_account_id,
        latest_traits.stripe_customer_id,
        latest_traits.workspace_name,
        latest_traits.industry,
        coalesce(latest_traits.website_domain, commonest_domains.email_domain) as workspace_domain,
        coalesce(latest_traits.is_test, false) as is_test,
        workspaces.first_seen_at

    from workspaces
    left join latest_traits
        on workspaces.workspace_id = latest_traits.workspace_id
    left join commonest_domains
        on workspaces.workspace_id = commonest_domains.workspace_id

)

select * from final
