with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

int_stripe__customers_known as (

    select * from {{ ref('int_stripe__customers_known') }}

),

int_workspaces_described as (

    select * from {{ ref('int_workspaces_described') }}

),

{%- set internal_domains = "('" ~ var('internal_email_domains') | join("', '") ~ "')" %}

accounts as (

    select
        account_id,
        count(*) filter (where source_system = 'salesforce') as salesforce_account_count,
        count(*) filter (where source_system = 'stripe') as stripe_customer_count,
        count(*) filter (where source_system = 'segment') as workspace_count

    from int_account_identities
    group by account_id

),

first_customers as (

    select
        int_account_identities.account_id,
        int_stripe__customers_known.customer_name,
        int_stripe__customers_known.created_at

    from int_account_identities
    inner join int_stripe__customers_known
        on
            int_account_identities.foreign_id = int_stripe__customers_known.stripe_customer_id
            and int_account_identities.source_system = 'stripe'
    qualify
        row_number() over (
            partition by int_account_identities.account_id
            order by
                int_stripe__customers_known.created_at,
                int_stripe__customers_known.stripe_customer_id
        ) = 1

),

internal_customers as (

    select distinct int_account_identities.account_id

    from int_account_identities
    inner join int_stripe__customers_known
        on
            int_account_identities.foreign_id = int_stripe__customers_known.stripe_customer_id
            and int_account_identities.source_system = 'stripe'
    where {{ email_domain('int_stripe__customers_known.email') }} in {{ internal_domains }}

),

workspaces as (

    select
        int_account_identities.account_id,
        min_by(
            int_workspaces_described.workspace_name,
            concat(
                cast(int_workspaces_described.first_seen_at as string),
                int_workspaces_described.workspace_id
            )
        ) as workspace_name,
        min(int_workspaces_described.first_seen_at) as first_seen_at,
        min(int_workspaces_described.industry) as industry,
        bool_or(
            int_workspaces_described.is_internal
            or coalesce(int_workspaces_described.workspace_domain in {{ internal_domains }}, false)
        ) as is_internal,
        bool_or(int_workspaces_described.is_test) as is_test

    from int_account_identities
    inner join int_workspaces_described
        on
            int_account_identities.foreign_id = int_workspaces_described.workspace_id
            and int_account_identities.source_system = 'segment'
    group by int_account_identities.account_id

),

first_wins as (

    select
        int_account_identities.account_id,
        min(stg_salesforce__opportunities.close_date) as first_won_date

    from stg_salesforce__opportunities
    inner join int_account_identities
        on
            stg_salesforce__opportunities.salesforce_account_id = int_account_identities.foreign_id
            and int_account_identities.source_system = 'salesforce'
    where
        stg_salesforce__opportunities.is_won
        and not stg_salesforce__opportunities.is_deleted
    group by int_account_identities.account_id

),

final as (

    select
        accounts.account_id,
        coalesce(
            stg_salesforce__accounts.account_name,
            first_customers.customer_name,
            workspaces.workspace_name,
            accounts.account_id
        ) as account_name,
        parents.account_id as parent_account_id,
        stg_salesforce__accounts.owner_salesforce_user_id as sales_rep_id,

        case
            when stg_salesforce__accounts.employee_count >= 1000 then 'enterprise'
            when stg_salesforce__accounts.employee_count >= 100 then 'mid_market'
            when stg_salesforce__accounts.employee_count >= 0 then 'smb'
            else 'unknown'
        end as segment,
        stg_salesforce__accounts.account_type,
        coalesce(stg_salesforce__accounts.industry, workspaces.industry) as industry,
        stg_salesforce__accounts.billing_country as country,
        {{ website_domain('stg_salesforce__accounts.website') }} as website_domain,

        stg_salesforce__accounts.employee_count,
        accounts.salesforce_account_count,
        accounts.stripe_customer_count,
        accounts.workspace_count,

        coalesce(
            {{ website_domain('stg_salesforce__accounts.website') }} in {{ internal_domains }},
            false
        )
        or internal_customers.account_id is not null
        or coalesce(workspaces.is_internal, false) as is_internal,
        coalesce(
            regexp_extract(
                lower(stg_salesforce__accounts.account_name),
                '{{ var("test_account_pattern") }}'
            ) != '',
            false
        )
        or coalesce(workspaces.is_test, false) as is_test,
        coalesce(stg_salesforce__accounts.is_deleted, false) as is_deleted,

        coalesce(
            stg_salesforce__accounts.created_at,
            first_customers.created_at,
            workspaces.first_seen_at
        ) as created_at,
        first_wins.first_won_date

    from accounts
    left join stg_salesforce__accounts
        on accounts.account_id = stg_salesforce__accounts.salesforce_account_id
    left join int_account_identities as parents
        on
            stg_salesforce__accounts.parent_salesforce_account_id = parents.foreign_id
            and parents.source_system = 'salesforce'
    left join first_customers
        on accounts.account_id = first_customers.account_id
    left join internal_customers
        on accounts.account_id = internal_customers.account_id
    left join workspaces
        on accounts.account_id = workspaces.account_id
    left join first_wins
        on accounts.account_id = first_wins.account_id

)

select * from final
