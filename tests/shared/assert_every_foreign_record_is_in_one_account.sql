-- Proves that matching loses no record. Each exported Salesforce account, each Stripe customer with
-- a record or on a billing document, each workspace and each user that a message names is in the
-- bridge or, for a user, listed as unmatched. The uniqueness test of the bridge would pass with an
-- inner join in place of a left join.
with

known as (

    select
        'account' as foreign_type,
        salesforce_account_id as foreign_id
    from {{ ref('stg_salesforce__accounts') }}

    union all

    select
        'customer' as foreign_type,
        stripe_customer_id as foreign_id
    from {{ ref('int_stripe_customers_known') }}

    union all

    select
        'customer' as foreign_type,
        stripe_customer_id as foreign_id
    from {{ ref('stg_stripe__invoices') }}
    where stripe_customer_id is not null

    union all

    select
        'customer' as foreign_type,
        stripe_customer_id as foreign_id
    from {{ ref('stg_stripe__charges') }}
    where stripe_customer_id is not null

    union all

    select
        'customer' as foreign_type,
        stripe_customer_id as foreign_id
    from {{ ref('int_subscription_source_records') }}
    where stripe_customer_id is not null

    union all

    select distinct
        'workspace' as foreign_type,
        workspace_id as foreign_id
    from {{ ref('int_identity_signals') }}
    where workspace_id is not null

    union all

    select
        'user' as foreign_type,
        user_id as foreign_id
    from {{ ref('int_users_described') }}

),

found as (

    select
        foreign_type,
        foreign_id
    from {{ ref('bridge_account_identities') }}

    union

    select
        foreign_type,
        foreign_id
    from {{ ref('fct_unmatched_identities') }}
    where
        foreign_type = 'user'
        and account_id is null

)

select
    known.foreign_type,
    known.foreign_id
from known
left join found
    on
        known.foreign_type = found.foreign_type
        and known.foreign_id = found.foreign_id
where found.foreign_id is null
