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

extracted_columns as (

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

    union all by name

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

parsed_columns as (

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

all_statements as (

    select * from extracted_columns
    union all by name
    select * from parsed_columns

),

-- Amount and interval of a price never change; only how much of it was expanded does.
final as (

    select
        price_id,
        arg_min(product_id, preference_number) as product_id,
        arg_min(currency, preference_number) as currency,
        arg_min(currency_options, preference_number) as currency_options,
        arg_min(price_type, preference_number) as price_type,
        arg_min(billing_scheme, preference_number) as billing_scheme,
        arg_min(unit_amount_decimal, preference_number) as unit_amount_decimal,
        arg_min(tiers, preference_number) as tiers,
        arg_min(tiers_mode, preference_number) as tiers_mode,
        arg_min(transform_quantity, preference_number) as transform_quantity,
        arg_min(recurring_interval, preference_number) as recurring_interval,
        arg_min(recurring_interval_count, preference_number) as recurring_interval_count,
        arg_min(usage_type, preference_number) as usage_type,
        arg_min(tax_behavior, preference_number) as tax_behavior

    from all_statements
    group by price_id

)

select * from final
