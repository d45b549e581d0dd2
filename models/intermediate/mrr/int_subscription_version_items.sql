with

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

stg_stripe__subscription_items as (

    select * from {{ ref('stg_stripe__subscription_items') }}

),

nested as (

    select
        version_id,
        {{ explode(json_array('items')) }} as item
    from int_subscription_versions

),

nested_identified as (

    select
        version_id,
        {{ json_string('item', 'id') }} as subscription_item_id,
        item
    from nested

),

listed as (

    select
        version_id,
        subscription_item_id,
        item
    from nested_identified

    union all

    -- A long list of items has further pages, whose items are extracted as objects of their own.
    select
        int_subscription_versions.version_id,
        stg_stripe__subscription_items.subscription_item_id,
        stg_stripe__subscription_items.item

    from int_subscription_versions
    inner join stg_stripe__subscription_items
        on
            int_subscription_versions.subscription_id
            = stg_stripe__subscription_items.subscription_id
    left join nested_identified
        on
            int_subscription_versions.version_id = nested_identified.version_id
            and stg_stripe__subscription_items.subscription_item_id
            = nested_identified.subscription_item_id
    where
        int_subscription_versions.has_more_items
        and int_subscription_versions.items is not null
        and nested_identified.version_id is null

),

first_and_last_seen as (

    select
        int_subscription_versions.subscription_id,
        listed.subscription_item_id,
        min(int_subscription_versions.version_number) as first_version_number,
        max_by(listed.item, int_subscription_versions.version_number) filter (
            where listed.item is not null
        ) as last_item

    from listed
    inner join int_subscription_versions
        on listed.version_id = int_subscription_versions.version_id
    group by
        int_subscription_versions.subscription_id,
        listed.subscription_item_id

),

-- An item has a row in every version from its first one on; once it is gone, its last state.
present_and_gone as (

    select
        int_subscription_versions.version_id,
        int_subscription_versions.currency as subscription_currency,
        int_subscription_versions.default_tax_rates,
        first_and_last_seen.subscription_item_id,
        listed.version_id is not null as is_present,
        coalesce(listed.item, first_and_last_seen.last_item) as item

    from first_and_last_seen
    inner join int_subscription_versions
        on
            first_and_last_seen.subscription_id = int_subscription_versions.subscription_id
            and first_and_last_seen.first_version_number
            <= int_subscription_versions.version_number
    left join listed
        on
            int_subscription_versions.version_id = listed.version_id
            and first_and_last_seen.subscription_item_id = listed.subscription_item_id

),

-- `plan` is the legacy form of `price`. Objects older than prices have only the plan.
final as (

    select
        version_id,
        subscription_item_id,
        is_present,
        coalesce(
            {{ expandable_id(json_string('item', 'price')) }},
            {{ expandable_id(json_string('item', 'plan')) }}
        ) as price_id,
        {{ json_value('item', 'price') }} as price,
        {{ json_value('item', 'plan') }} as plan,
        cast(cast({{ json_string('item', 'quantity') }} as decimal(28, 6)) as bigint) as quantity,
        subscription_currency,
        case
            when json_array_length({{ json_value('item', 'tax_rates') }}) > 0
                then {{ json_value('item', 'tax_rates') }}
            else default_tax_rates
        end as tax_rates

    from present_and_gone

)

select * from final
