with

int_subscription_items_invoiced as (

    select * from {{ ref('int_subscription_items_invoiced') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

stg_stripe__subscription_items as (

    select * from {{ ref('stg_stripe__subscription_items') }}

),

versions as (

    select
        int_subscription_versions.version_id,
        int_subscription_versions.subscription_id,
        int_subscription_versions.version_number,
        int_subscription_versions.currency as subscription_currency,
        int_subscription_versions.invoiced_from_at,
        records.items,
        records.has_more_items,
        records.default_tax_rates

    from int_subscription_versions
    inner join int_subscription_source_records as records
        on
            int_subscription_versions.subscription_id = records.subscription_id
            and int_subscription_versions.record_number = records.record_number

),

nested as (

    select
        version_id,
        subscription_id,
        version_number,
        {{ explode('items') }} as item
    from versions
    where invoiced_from_at is null

),

nested_identified as (

    select
        version_id,
        subscription_id,
        version_number,
        item.subscription_item_id,
        item.price_id,
        item.quantity,
        item.tax_rates
    from nested

),

listed as (

    select
        version_id,
        subscription_id,
        version_number,
        subscription_item_id,
        price_id,
        quantity,
        tax_rates
    from nested_identified

    union all

    select
        versions.version_id,
        versions.subscription_id,
        versions.version_number,
        invoiced.subscription_item_id,
        invoiced.price_id,
        invoiced.quantity,
        null as tax_rates

    from versions
    inner join int_subscription_items_invoiced as invoiced
        on
            versions.subscription_id = invoiced.subscription_id
            and versions.invoiced_from_at = invoiced.valid_from_at
    where invoiced.subscription_item_id is not null

    union all

    -- A long list of items has further pages, whose items are extracted as objects of their own.
    select
        versions.version_id,
        versions.subscription_id,
        versions.version_number,
        stg_stripe__subscription_items.subscription_item_id,
        stg_stripe__subscription_items.price_id,
        stg_stripe__subscription_items.quantity,
        stg_stripe__subscription_items.tax_rates

    from versions
    inner join stg_stripe__subscription_items
        on versions.subscription_id = stg_stripe__subscription_items.subscription_id
    left join nested_identified
        on
            versions.version_id = nested_identified.version_id
            and stg_stripe__subscription_items.subscription_item_id
            = nested_identified.subscription_item_id
    where
        versions.has_more_items
        and versions.items is not null
        and versions.invoiced_from_at is null
        and nested_identified.version_id is null

),

first_and_last_seen as (

    select
        subscription_id,
        subscription_item_id,
        min(version_number) as first_version_number,
        max(version_number) as last_version_number
    from listed
    group by
        subscription_id,
        subscription_item_id

),

-- An item has a row in every version from its first one on; once it is gone, its last state.
present_and_gone as (

    select
        versions.version_id,
        versions.subscription_id,
        versions.subscription_currency,
        versions.default_tax_rates,
        first_and_last_seen.subscription_item_id,
        listed.version_id is not null as is_present,
        coalesce(listed.version_number, first_and_last_seen.last_version_number)
            as state_version_number

    from first_and_last_seen
    inner join versions
        on
            first_and_last_seen.subscription_id = versions.subscription_id
            and first_and_last_seen.first_version_number <= versions.version_number
    left join listed
        on
            versions.version_id = listed.version_id
            and first_and_last_seen.subscription_item_id = listed.subscription_item_id

),

final as (

    select
        present_and_gone.version_id,
        present_and_gone.subscription_item_id,
        present_and_gone.is_present,
        states.price_id,
        states.quantity,
        present_and_gone.subscription_currency,
        case
            when len(states.tax_rates) > 0 then states.tax_rates
            else present_and_gone.default_tax_rates
        end as tax_rates

    from present_and_gone
    inner join listed as states
        on
            present_and_gone.subscription_id = states.subscription_id
            and present_and_gone.subscription_item_id = states.subscription_item_id
            and present_and_gone.state_version_number = states.version_number

)

select * from final
