{#-
    Raw table: source, staging models, their id, where it holds money its amount, and a condition where
    the staging model also has records of other tables.
-#}
{%- set staged = {
    'Account': ['salesforce', 'accounts', 'salesforce_account_id'],
    'Contact': ['salesforce', 'contacts', 'salesforce_contact_id'],
    'CurrencyType': ['salesforce', 'currency_types', 'currency_type_id'],
    'DatedConversionRate': [
        'salesforce', 'dated_conversion_rates', 'dated_conversion_rate_id',
    ],
    'Lead': ['salesforce', 'leads', 'salesforce_lead_id'],
    'Opportunity': ['salesforce', 'opportunities', 'opportunity_id', 'amount'],
    'OpportunityFieldHistory': [
        'salesforce', 'opportunity_field_histories', 'opportunity_field_history_id',
    ],
    'OpportunityHistory': [
        'salesforce', 'opportunity_histories', 'opportunity_history_id', 'amount',
    ],
    'OpportunityLineItem': [
        'salesforce', 'opportunity_line_items', 'opportunity_line_item_id', 'total_price_amount',
    ],
    'Product2': ['salesforce', 'products', 'salesforce_product_id'],
    'User': ['salesforce', 'users', 'salesforce_user_id'],
    'balance_transactions': [
        'stripe', 'balance_transactions', 'balance_transaction_id', 'amount_minor',
        'not is_expanded',
    ],
    'charges': ['stripe', 'charges', 'charge_id', 'amount_minor'],
    'coupons': ['stripe', 'coupons', 'coupon_id'],
    'credit_notes': ['stripe', 'credit_notes', 'credit_note_id', 'amount_minor'],
    'customers': ['stripe', 'customers', 'stripe_customer_id'],
    'discounts': ['stripe', 'discounts', 'discount_id'],
    'disputes': ['stripe', 'disputes', 'dispute_id', 'amount_minor'],
    'events': [
        'stripe', 'catalog_events customer_events discount_events subscription_events', 'event_id',
    ],
    'invoice_payments': ['stripe', 'invoice_payments', 'invoice_payment_id'],
    'invoices': ['stripe', 'invoices', 'invoice_id', 'total_minor'],
    'payouts': ['stripe', 'payouts', 'payout_id', 'amount_minor'],
    'plans': ['stripe', 'plans', 'price_id'],
    'prices': ['stripe', 'prices', 'price_id'],
    'products': ['stripe', 'products', 'product_id'],
    'promotion_codes': ['stripe', 'promotion_codes', 'promotion_code_id'],
    'refunds': ['stripe', 'refunds', 'refund_id', 'amount_minor'],
    'subscription_schedules': [
        'stripe', 'subscription_schedules', 'subscription_schedule_id',
    ],
    'subscription_items': ['stripe', 'subscription_items', 'subscription_item_id'],
    'subscriptions': ['stripe', 'subscriptions', 'subscription_id'],
} -%}

with

int_messages_counted as (

    select * from {{ ref('int_messages_counted') }}

),

counted as (

    {% for object_name, rules in staged.items() -%}
    {%- set source_name, models, id = rules[:3] -%}
    {%- for entities in models.split() -%}
    select
        _batch_id as batch_id,
        '{{ source_name }}' as source_system,
        '{{ object_name }}' as object_name,
        count(*) as row_count,
        cast(coalesce(sum({{ id_checksum(id) }}), 0) as decimal(38, 0)) as record_checksum,
        cast(
            coalesce(sum(cast({{ rules[3] or 0 }} as decimal(38, 9))), 0) as decimal(38, 9)
        ) as control_amount

    from {{ ref('stg_' ~ source_name ~ '__' ~ entities) }}
    {%- if rules[4] %}
    where {{ rules[4] }}
    {%- endif %}
    group by all

    union all

    {% endfor -%}
    {%- endfor -%}
    select
        _batch_id as batch_id,
        'segment' as source_system,
        'messages' as object_name,
        message_count as row_count,
        id_checksum as record_checksum,
        cast(0 as decimal(38, 9)) as control_amount

    from int_messages_counted
    where layer = 'staging'

),

final as (

    select
        batch_id,
        source_system,
        object_name,
        cast(sum(row_count) as bigint) as row_count,
        cast(sum(record_checksum) as decimal(38, 0)) as record_checksum,
        cast(sum(control_amount) as decimal(38, 9)) as control_amount

    from counted
    group by
        batch_id,
        source_system,
        object_name

)

select * from final
