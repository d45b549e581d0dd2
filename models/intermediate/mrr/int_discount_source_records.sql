with

stg_stripe__customer_extracts as (

    select * from {{ ref('stg_stripe__customer_extracts') }}

),

stg_stripe__discounts as (

    select * from {{ ref('stg_stripe__discounts') }}

),

stg_stripe__events as (

    select * from {{ ref('stg_stripe__events') }}

),

stg_stripe__invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

int_subscription_source_records as (

    select * from {{ ref('int_subscription_source_records') }}

),

relevant_events as (

    select
        event_type,
        occurred_at,
        object_type,
        object,
        previous_attributes

    from stg_stripe__events
    where object_type in ('discount', 'customer')

),

subscription_discounts as (

    select
        observed_at,
        {{ explode('discounts') }} as discount
    from int_subscription_source_records

),

subscription_items as (

    select
        observed_at,
        {{ explode(json_array('items')) }} as item
    from int_subscription_source_records

),

item_discounts as (

    select
        observed_at,
        {{ explode(json_array(json_value('item', 'discounts'))) }} as discount
    from subscription_items

),

invoice_discounts as (

    select
        created_at as observed_at,
        {{ explode(json_array('discounts')) }} as discount
    from stg_stripe__invoices

),

-- Every place that has the whole discount: events, and extracts in which it is expanded.
discount_objects as (

    select
        occurred_at as observed_at,
        object as discount
    from relevant_events
    where object_type = 'discount'

    union all

    select
        occurred_at as observed_at,
        {{ json_value('object', 'discount') }} as discount
    from relevant_events
    where object_type = 'customer'

    union all

    select
        occurred_at as observed_at,
        {{ json_value('previous_attributes', 'discount') }} as discount
    from relevant_events
    where object_type = 'customer'

    union all

    select
        extracted_at as observed_at,
        discount
    from stg_stripe__customer_extracts
    where not is_test_mode

    union all

    select
        observed_at,
        discount
    from subscription_discounts

    union all

    select
        observed_at,
        discount
    from item_discounts

    union all

    select
        observed_at,
        discount
    from invoice_discounts

),

parsed as (

    select
        observed_at,
        {{ json_string('discount', 'id') }} as discount_id,
        coalesce(
            {{ json_string('discount', 'source.coupon') }}, {{ json_string('discount', 'coupon') }}
        ) as coupon,
        {{ from_epoch(json_string('discount', 'start')) }} as start_at,
        {{ from_epoch(json_string('discount', 'end')) }} as end_at,
        {{ expandable_id(json_string('discount', 'customer')) }} as stripe_customer_id,
        {{ json_string('discount', 'subscription') }} as subscription_id,
        {{ json_string('discount', 'subscription_item') }} as subscription_item_id,
        coalesce(
            {{ json_string('discount', 'invoice') }}, {{ json_string('discount', 'invoice_item') }}
        ) as invoice_id,
        {{ expandable_id(json_string('discount', 'promotion_code')) }} as promotion_code_id

    from discount_objects
    where {{ json_string('discount', 'id') }} is not null

),

final as (

    select
        observed_at,
        discount_id,
        coupon,
        start_at,
        end_at,
        stripe_customer_id,
        subscription_id,
        subscription_item_id,
        invoice_id,
        promotion_code_id
    from parsed

    union all

    select
        _extracted_at as observed_at,
        discount_id,
        coalesce(cast(coupon as string), coupon_id) as coupon,
        start_at,
        end_at,
        stripe_customer_id,
        subscription_id,
        subscription_item_id,
        invoice_id,
        promotion_code_id
    from stg_stripe__discounts

)

select * from final
