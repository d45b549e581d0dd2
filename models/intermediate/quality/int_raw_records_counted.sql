{#-
    Classifies raw rows from raw alone, so that staging is compared with an independent result. The
    latest version by `clock`, then by extract, is the one that staging must show. Two raw rows of one
    record may be equal, so rows have no key before they are counted. Few records occur twice, so only
    their content is compared.
-#}
{%- set modified_at = 'coalesce(systemmodstamp, lastmodifieddate, _extracted_at)' -%}
{%- set salesforce = {
    'Account': {'clock': modified_at}, 'Contact': {'clock': modified_at},
    'CurrencyType': {'clock': modified_at}, 'DatedConversionRate': {'clock': modified_at},
    'Lead': {'clock': modified_at},
    'Opportunity': {'clock': modified_at, 'amount': 'amount'},
    'OpportunityFieldHistory': {'clock': 'createddate'},
    'OpportunityHistory': {
        'clock': 'coalesce(systemmodstamp, createddate, _extracted_at)', 'amount': 'amount',
    },
    'OpportunityLineItem': {'clock': modified_at, 'amount': 'totalprice'},
    'Product2': {'clock': modified_at},
    'User': {'clock': modified_at},
} -%}
{%- set coupon_mode = 'coalesce(' ~ json_string('source', 'coupon.livemode') ~ ', '
    ~ json_string('coupon', 'livemode') ~ ')' -%}
{#- Only the charge shows that a refund is a test. -#}
{%- set test_charges = ' from ' ~ source('stripe', 'charges') ~ ' where not livemode' -%}
{%- set charge_id, intent_id = expandable_id('charge'), expandable_id('payment_intent') -%}
{%- set refund_mode = 'not coalesce(' ~ charge_id ~ ' in (select id' ~ test_charges
    ~ '), false) and not coalesce(' ~ intent_id ~ ' in (select ' ~ intent_id ~ test_charges
    ~ '), false)' -%}
{#- A balance transaction is a test if the object that caused it is one. -#}
{%- set test_objects = 'select id' ~ test_charges ~ ' union all select id from '
    ~ source('stripe', 'disputes') ~ ' where not livemode union all select id from '
    ~ source('stripe', 'payouts') ~ ' where not livemode union all select id from '
    ~ source('stripe', 'refunds') ~ ' where not (' ~ refund_mode ~ ')' -%}
{%- set movement_mode = 'not coalesce(' ~ expandable_id('source') ~ ' in (' ~ test_objects
    ~ '), false)' -%}
{%- set stripe = {
    'balance_transactions': {'amount': 'amount', 'mode': movement_mode},
    'charges': {'amount': 'amount'},
    'coupons': {}, 'customers': {}, 'plans': {}, 'prices': {}, 'products': {}, 'promotion_codes': {},
    'subscriptions': {}, 'subscription_schedules': {}, 'invoice_payments': {},
    'credit_notes': {'amount': 'amount'},
    'discounts': {'mode': coupon_mode},
    'disputes': {'amount': 'amount'},
    'invoice_line_items': {'amount': 'amount', 'deleted': 'deleted'},
    'invoices': {'amount': 'total'},
    'payouts': {'amount': 'amount'},
    'refunds': {'amount': 'amount', 'mode': refund_mode},
    'subscription_items': {'mode': json_string('coalesce(price, plan)', 'livemode')},
    'other_objects': {'mode': 'null'},
} -%}
{%- set loading = ['_batch_id', '_extracted_at', '_loaded_at', '_source_file', '_source_row'] -%}

{%- set latest_first -%}
(
    partition by source_system, object_name, is_live, is_left_out, record_id
    order by version_at desc nulls last, _extracted_at desc, _batch_id desc, _source_file desc,
        _source_row desc
)
{%- endset -%}

with

int_raw_event_copies as (

    select * from {{ ref('int_raw_event_copies') }}

),

repeated_records as (

    {% for source_name, objects in {'salesforce': salesforce, 'stripe': stripe}.items() -%}
    {%- set is_first_source = loop.first -%}
    {%- for object_name in objects -%}
    {%- if not (is_first_source and loop.first) %}

    union all

    {% endif -%}
    select
        '{{ source_name }}' as source_system,
        '{{ object_name }}' as object_name,
        {{ salesforce_id18('id') if source_name == 'salesforce' else 'id' }} as repeated_id

    from {{ source(source_name, object_name) }}
    group by repeated_id
    having count(*) > 1
    {%- endfor -%}
    {%- endfor %}

),

raw_records as (

    {% for source_name, objects in {'salesforce': salesforce, 'stripe': stripe}.items() -%}
    {%- set is_first_source = loop.first -%}
    {%- set default_mode = 'livemode' if source_name == 'stripe' else 'null' -%}
    {%- for object_name, rules in objects.items() -%}
    {%- set record_id = salesforce_id18('id') if source_name == 'salesforce' else 'id' -%}
    {%- if not (is_first_source and loop.first) %}

    union all

    {% endif -%}
    select
        '{{ source_name }}' as source_system,
        '{{ object_name }}' as object_name,
        raw_table.id as exported_id,
        {{ record_id }} as record_id,
        cast({{ rules.amount or '0' }} as decimal(38, 9)) as control_amount,
        coalesce(cast({{ rules.mode or default_mode }} as boolean), true) as is_live,
        coalesce({{ rules.deleted or 'false' }}, false) as is_left_out,
        {{ rules.clock or '_extracted_at' }} as version_at,
        case
            when repeated_records.repeated_id is not null
                then md5({{ json_without(row_as_json('raw_table'), loading) }})
        end as content,
        raw_table._extracted_at,
        raw_table._batch_id,
        raw_table._source_file,
        raw_table._source_row

    from {{ source(source_name, object_name) }} as raw_table
    left join repeated_records
        on
            repeated_records.source_system = '{{ source_name }}'
            and repeated_records.object_name = '{{ object_name }}'
            and {{ record_id }} = repeated_records.repeated_id
    {%- endfor -%}
    {%- endfor %}

),

ranked as (

    select
        source_system,
        object_name,
        exported_id,
        record_id,
        control_amount,
        is_live,
        is_left_out,
        content,
        row_number() over {{ latest_first }} as version_number,
        first_value(content) over {{ latest_first }} as latest_content,
        _batch_id

    from raw_records

),

record_versions as (

    select
        source_system,
        object_name,
        case
            when not is_live then 'test_mode'
            when is_left_out then 'deleted'
            when object_name in ('other_objects', 'invoice_line_items') then 'elsewhere'
            when version_number = 1 then 'staged'
            when content = latest_content then 'duplicate'
            else 'superseded'
        end as row_outcome,
        {{ id_checksum('exported_id') }} as exported_checksum,
        {{ id_checksum('record_id') }} as record_checksum,
        control_amount,
        _batch_id

    from ranked

),

record_versions_counted as (

    select
        _batch_id as batch_id,
        source_system,
        object_name,
        row_outcome,
        count(*) as row_count,
        cast(coalesce(sum(exported_checksum), 0) as decimal(38, 0)) as exported_checksum,
        cast(coalesce(sum(record_checksum), 0) as decimal(38, 0)) as record_checksum,
        cast(coalesce(sum(control_amount), 0) as decimal(38, 9)) as control_amount

    from record_versions
    group by all

),

{% set columns -%}
    batch_id,
        source_system,
        object_name,
        row_outcome,
        row_count,
        exported_checksum,
        record_checksum,
        control_amount
{%- endset -%}

final as (

    select
        {{ columns }}

    from record_versions_counted

    union all

    select
        {{ columns }}

    from int_raw_event_copies

)

select * from final
