with

int_subscription_version_items as (

    select * from {{ ref('int_subscription_version_items') }}

),

stg_stripe__events as (

    select * from {{ ref('stg_stripe__events') }}

),

stg_stripe__plans as (

    select * from {{ ref('stg_stripe__plans') }}

),

stg_stripe__prices as (

    select * from {{ ref('stg_stripe__prices') }}

),

price_objects as (

    select distinct
        price as object,
        2 as preference_number
    from int_subscription_version_items
    where {{ json_string('price', 'id') }} is not null

    union all

    select
        object,
        3 as preference_number
    from stg_stripe__events
    where object_type in ('price', 'plan')

    union all

    select distinct
        plan as object,
        5 as preference_number
    from int_subscription_version_items
    where {{ json_string('plan', 'id') }} is not null

),

price_versions as (

    select
        price_id,
        product_id,
        currency,
        currency_options,
        price_type,
        billing_scheme,
        unit_amount_decimal,
        tiers,
        tiers_mode,
        transform_quantity,
        recurring_interval,
        recurring_interval_count,
        usage_type,
        tax_behavior,
        1 as preference_number
    from stg_stripe__prices
    where not is_deleted

    union all

    select
        price_id,
        product_id,
        currency,
        cast(null as json) as currency_options,
        price_type,
        billing_scheme,
        unit_amount_decimal,
        tiers,
        tiers_mode,
        transform_quantity,
        recurring_interval,
        recurring_interval_count,
        usage_type,
        cast(null as string) as tax_behavior,
        4 as preference_number
    from stg_stripe__plans
    where not is_deleted

    union all

    select
        {{ json_string('object', 'id') }} as price_id,
        {{ expandable_id(json_string('object', 'product')) }} as product_id,
        upper({{ json_string('object', 'currency') }}) as currency,
        {{ json_value('object', 'currency_options') }} as currency_options,
        coalesce({{ json_string('object', 'type') }}, 'recurring') as price_type,
        {{ json_string('object', 'billing_scheme') }} as billing_scheme,
        cast(
            coalesce(
                {{ json_string('object', 'unit_amount_decimal') }},
                {{ json_string('object', 'unit_amount') }},
                {{ json_string('object', 'amount_decimal') }},
                {{ json_string('object', 'amount') }}
            ) as decimal(38, 12)
        ) as unit_amount_decimal,
        {{ json_value('object', 'tiers') }} as tiers,
        {{ json_string('object', 'tiers_mode') }} as tiers_mode,
        coalesce(
            {{ json_value('object', 'transform_quantity') }},
            {{ json_value('object', 'transform_usage') }}
        ) as transform_quantity,
        coalesce(
            {{ json_string('object', 'recurring.interval') }},
            {{ json_string('object', 'interval') }}
        ) as recurring_interval,
        cast(
            coalesce(
                {{ json_string('object', 'recurring.interval_count') }},
                {{ json_string('object', 'interval_count') }}
            ) as integer
        ) as recurring_interval_count,
        coalesce(
            {{ json_string('object', 'recurring.usage_type') }},
            {{ json_string('object', 'usage_type') }}
        ) as usage_type,
        {{ json_string('object', 'tax_behavior') }} as tax_behavior,
        preference_number

    from price_objects

),

-- Amount and interval of a price never change, but not every copy has its tiers and currencies.
final as (

    select
        price_id,
        min_by(product_id, preference_number) filter (where product_id is not null)
            as product_id,
        min_by(currency, preference_number) filter (where currency is not null)
            as currency,
        min_by(currency_options, preference_number) filter (where currency_options is not null)
            as currency_options,
        min_by(price_type, preference_number) filter (where price_type is not null)
            as price_type,
        min_by(billing_scheme, preference_number) filter (where billing_scheme is not null)
            as billing_scheme,
        min_by(unit_amount_decimal, preference_number) filter (
            where unit_amount_decimal is not null
        ) as unit_amount_decimal,
        min_by(tiers, preference_number) filter (where tiers is not null)
            as tiers,
        min_by(tiers_mode, preference_number) filter (where tiers_mode is not null)
            as tiers_mode,
        min_by(transform_quantity, preference_number) filter (where transform_quantity is not null)
            as transform_quantity,
        min_by(recurring_interval, preference_number) filter (where recurring_interval is not null)
            as recurring_interval,
        min_by(recurring_interval_count, preference_number) filter (
            where recurring_interval_count is not null
        ) as recurring_interval_count,
        min_by(usage_type, preference_number) filter (where usage_type is not null)
            as usage_type,
        min_by(tax_behavior, preference_number) filter (where tax_behavior is not null)
            as tax_behavior

    from price_versions
    group by price_id

)

select * from final
