-- Proves that matching loses nothing: each delivered Salesforce account, each Stripe customer that
-- anything names and each workspace that a message names is in the bridge. That none is there twice
-- is the bridge's own test; an inner join instead of a left one in a rule would pass that and fail
-- here.
with

known as (

    select
        'salesforce' as source_system,
        salesforce_account_id as foreign_id
    from {{ ref('stg_salesforce__accounts') }}

    union all

    select
        'stripe' as source_system,
        stripe_customer_id as foreign_id
    from {{ ref('int_stripe__customers_known') }}

    union all

    select distinct
        'segment' as source_system,
        workspace_id as foreign_id
    from {{ ref('int_identities_observed') }}
    where workspace_id is not null

)

select
    known.source_system,
    known.foreign_id
from known
left join {{ ref('bridge_account_identities') }} as bridge_account_identities
    on
        known.source_system = bridge_account_identities.source_system
        and known.foreign_id = bridge_account_identities.foreign_id
where bridge_account_identities.foreign_id is null
