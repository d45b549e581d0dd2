-- Proves that everything of a merged account belongs to the survivor, in all three systems: no
-- account has the id of a record that lost a merger. A check of the loser's own row would miss
-- customers and workspaces that still belong to it.
select
    bridge_account_identities.account_id,
    bridge_account_identities.source_system,
    bridge_account_identities.foreign_id
from {{ ref('bridge_account_identities') }} as bridge_account_identities
inner join {{ ref('bridge_account_identities') }} as losers
    on
        bridge_account_identities.account_id = losers.foreign_id
        and losers.source_system = 'salesforce'
        and losers.match_rule = 'merged'
where losers.account_id != losers.foreign_id
