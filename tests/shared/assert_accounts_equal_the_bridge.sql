-- Proves that dim_accounts has one row for every account of the bridge and no others. A
-- relationship test would miss accounts without any record.
with

in_bridge as (

    select distinct account_id
    from {{ ref('bridge_account_identities') }}

),

in_either as (

    select account_id from in_bridge

    union

    select account_id from {{ ref('dim_accounts') }}

)

select in_either.account_id
from in_either
left join in_bridge
    on in_either.account_id = in_bridge.account_id
left join {{ ref('dim_accounts') }} as dim_accounts
    on in_either.account_id = dim_accounts.account_id
where
    in_bridge.account_id is null
    or dim_accounts.account_id is null
