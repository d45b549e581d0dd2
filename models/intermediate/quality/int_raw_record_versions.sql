{#-
    What staging keeps of each raw table: the latest version by `clock`, then by extract. Every raw
    row has its fate here, worked out from raw alone, for staging to be compared with.
-#}
{%- set touched_at = 'coalesce(systemmodstamp, lastmodifieddate, createddate, _extracted_at)' -%}
{%- set salesforce = {
    'Account': {'clock': touched_at},
    'Contact': {'clock': touched_at},
    'Lead': {'clock': touched_at},
    'Opportunity': {'clock': touched_at, 'amount': 'amount'},
    'OpportunityFieldHistory': {'clock': 'createddate'},
    'OpportunityHistory': {
        'clock': 'coalesce(systemmodstamp, createddate, _extracted_at)', 'amount': 'amount',
    },
    'OpportunityLineItem': {'clock': touched_at, 'amount': 'totalprice'},
    'Product2': {'clock': touched_at},
    'User': {'clock': touched_at},
} -%}
{%- set coupon_mode = 'coalesce(' ~ json_string('source', 'coupon.livemode') ~ ', '
    ~ json_string('coupon', 'livemode') ~ ')' -%}
{%- set stripe = {
    'balance_transactions': {'amount': 'amount', 'mode': 'null'},
    'charges': {'amount': 'amount'},
    'coupons': {},
    'credit_notes': {'amount': 'amount'},
    'customers': {},
    'discounts': {'mode': coupon_mode},
    'disputes': {'amount': 'amount'},
    'invoice_line_items': {'amount': 'amount', 'deleted': 'deleted'},
    'invoices': {'amount': 'total'},
    'plans': {},
    'prices': {},
    'products': {},
    'promotion_codes': {},
    'refunds': {'amount': 'amount', 'mode': 'null'},
    'subscription_items': {'mode': json_string('coalesce(price, plan)', 'livemode')},
    'subscriptions': {},
    'other_objects': {'mode': 'null'},
} -%}
{%- set loading = ['_batch_id', '_extracted_at', '_loaded_at', '_source_file', '_source_row'] -%}

with

{% for source_name, tables in {'salesforce': salesforce, 'stripe': stripe}.items() -%}
{%- set mode = 'livemode' if source_name == 'stripe' else 'null' -%}
{%- for table, rules in tables.items() -%}
{{ source_name }}_{{ table | lower }} as (

    select
        '{{ source_name }}' as source_system,
        '{{ table }}' as object_name,
        id as sent_id,
        {{ salesforce_id18('id') if source_name == 'salesforce' else 'id' }} as record_id,
        cast({{ rules.amount or '0' }} as decimal(38, 9)) as control_amount,
        coalesce(cast({{ rules.mode or mode }} as boolean), true) as is_live,
        coalesce({{ rules.deleted or 'false' }}, false) as is_left_out,
        {{ rules.clock or '_extracted_at' }} as version_at,
        md5({{ json_without('to_json(raw_table)', loading) }}) as content,
        _extracted_at,
        _batch_id,
        _source_file,
        _source_row

    from {{ source(source_name, table) }} as raw_table  -- noqa: AL05

),

{% endfor -%}
{%- endfor -%}

all_records as (

    {% for source_name, tables in {'salesforce': salesforce, 'stripe': stripe}.items() -%}
    {%- set is_last_source = loop.last -%}
    {%- for table in tables -%}
    select * from {{ source_name }}_{{ table | lower }}
    {%- if not (is_last_source and loop.last) %}
    union all
    {% endif -%}
    {%- endfor -%}
    {%- endfor %}

),

ranked as (

    select
        *,
        row_number() over latest_first as version_number,
        first_value(content) over latest_first as latest_content

    from all_records
    window
        latest_first as (
            partition by source_system, object_name, is_live, is_left_out, record_id
            order by
                version_at desc,
                _extracted_at desc,
                _batch_id desc,
                _source_file desc,
                _source_row desc
        )

),

final as (

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
        end as fate,
        {{ id_checksum('sent_id') }} as sent_checksum,
        {{ id_checksum('record_id') }} as record_checksum,
        control_amount,
        _batch_id

    from ranked

)

select * from final
