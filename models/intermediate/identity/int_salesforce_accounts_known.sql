with recursive

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

stg_salesforce__contacts as (

    select * from {{ ref('stg_salesforce__contacts') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

mergers as (

    select
        salesforce_account_id,
        master_salesforce_account_id

    from stg_salesforce__accounts
    where master_salesforce_account_id is not null

),

-- A survivor can be merged again later. The limit ends a cycle, which only corrupt data has.
merger_chains as (

    select
        salesforce_account_id,
        master_salesforce_account_id as survivor_id,
        1 as hop_number

    from mergers

    union all

    select
        merger_chains.salesforce_account_id,
        mergers.master_salesforce_account_id as survivor_id,
        merger_chains.hop_number + 1 as hop_number

    from merger_chains
    inner join mergers
        on merger_chains.survivor_id = mergers.salesforce_account_id
    where merger_chains.hop_number < 100

),

cycles as (

    select distinct salesforce_account_id
    from merger_chains
    where salesforce_account_id = survivor_id

),

-- A chain ends at an account that was not merged. A cycle has none, so its lowest id is taken.
survivors as (

    select
        merger_chains.salesforce_account_id,
        coalesce(
            min(merger_chains.survivor_id) filter (where mergers.salesforce_account_id is null),
            min(cycles.salesforce_account_id)
        ) as survivor_id

    from merger_chains
    left join mergers
        on merger_chains.survivor_id = mergers.salesforce_account_id
    left join cycles
        on merger_chains.survivor_id = cycles.salesforce_account_id
    group by merger_chains.salesforce_account_id

),

known_ids as (

    select salesforce_account_id from stg_salesforce__accounts

    union distinct

    select survivor_id as salesforce_account_id from survivors

    union distinct

    select salesforce_account_id from stg_salesforce__contacts

    union distinct

    select salesforce_account_id from stg_salesforce__opportunities

),

final as (

    select
        known_ids.salesforce_account_id,
        coalesce(survivors.survivor_id, known_ids.salesforce_account_id) as account_id,
        coalesce(survivors.survivor_id != known_ids.salesforce_account_id, false) as is_merged,
        stg_salesforce__accounts.salesforce_account_id is not null as is_delivered

    from known_ids
    left join survivors
        on known_ids.salesforce_account_id = survivors.salesforce_account_id
    left join stg_salesforce__accounts
        on known_ids.salesforce_account_id = stg_salesforce__accounts.salesforce_account_id
    where known_ids.salesforce_account_id is not null

)

select * from final
