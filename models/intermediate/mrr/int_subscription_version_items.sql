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
        int_subscription_versions.invoiced_from_at is null
        and records.items is null
        and records.record_source != 'invoice' as is_without_list,
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
        invoiced_from_at is not null as is_invoiced,
        {{ explode('items') }} as item
    from versions

),

nested_identified as (

    select
        version_id,
        subscription_id,
        version_number,
        is_invoiced,
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
    where not is_invoiced

    union all

    -- What a line leaves out is as the record has it.

    select
        versions.version_id,
        versions.subscription_id,
        versions.version_number,
        invoiced.subscription_item_id,
        coalesce(invoiced.price_id, nested_identified.price_id) as price_id,
        coalesce(invoiced.quantity, nested_identified.quantity) as quantity,
        null as tax_rates

    from versions
    inner join int_subscription_items_invoiced as invoiced
        on
            versions.subscription_id = invoiced.subscription_id
            and versions.invoiced_from_at = invoiced.valid_from_at
    left join nested_identified
        on
            versions.version_id = nested_identified.version_id
            and invoiced.subscription_item_id = nested_identified.subscription_item_id
    where invoiced.subscription_item_id is not null

    union all

    -- A long list of items has further pages, whose items are extracted as objects of their own. So
    -- are the items of a subscription that was exported without them.
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
        (versions.has_more_items or versions.is_without_list)
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

-- An item has a row in every version from its first one on; once it is gone, its last state. A
-- record without a list does not say that an item is gone.
present_and_gone as (

    select
        versions.version_id,
        versions.subscription_id,
        versions.subscription_currency,
        versions.default_tax_rates,
        first_and_last_seen.subscription_item_id,
        listed.version_id is not null or versions.is_without_list as is_present,
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
            when {{ list_length('states.tax_rates') }} > 0 then states.tax_rates
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
