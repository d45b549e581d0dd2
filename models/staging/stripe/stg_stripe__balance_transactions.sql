{#- Where other objects hold a balance transaction: the table and its columns. -#}
{%- set holders = {
    'charges': ['balance_transaction', 'failure_balance_transaction'],
    'payouts': ['balance_transaction', 'failure_balance_transaction'],
    'refunds': ['balance_transaction', 'failure_balance_transaction'],
} -%}
{%- set fields = {
    'id': 'string', 'source': 'string', 'type': 'string', 'reporting_category': 'string',
    'balance_type': 'string', 'status': 'string', 'description': 'string', 'currency': 'string',
    'exchange_rate': 'decimal(28, 9)', 'amount': 'bigint', 'fee': 'bigint', 'net': 'bigint',
    'fee_details': 'json', 'created': 'bigint', 'available_on': 'bigint',
} -%}
{%- set loading = ['_batch_id', '_extracted_at', '_source_file', '_source_row'] -%}
{#- Stripe's API does not say which payout holds a transaction; exports that add it call it so. -#}
{%- set payout_fields = ['payout', 'payout_id', 'automatic_payout_id', 'automatic_transfer_id'] -%}
{%- set fee_types = {
    'processing_fee_minor': "= 'stripe_fee'",
    'payment_method_fee_minor': "= 'payment_method_passthrough_fee'",
    'application_fee_minor': "= 'application_fee'",
    'tax_fee_minor': "in ('tax', 'withheld_tax')",
    'detailed_fee_minor': 'is not null',
} -%}

with

source as (

    select * from {{ source('stripe', 'balance_transactions') }}

),

test_charges as (

    select
        id,
        {{ expandable_id('payment_intent') }} as payment_intent_id
    from {{ source('stripe', 'charges') }}
    where not livemode

),

-- A balance transaction does not say whether it is a test. The object that caused it does, or the
-- charge of that.
test_objects as (

    select id from test_charges

    union all

    select id from {{ source('stripe', 'disputes') }}
    where not livemode

    union all

    select id from {{ source('stripe', 'payouts') }}
    where not livemode

    union all

    select id from {{ source('stripe', 'refunds') }}
    where
        {{ expandable_id('charge') }} in (select test_charges.id from test_charges)
        or {{ expandable_id('payment_intent') }} in (
            select test_charges.payment_intent_id from test_charges
        )

),

-- A charge, refund, payout or dispute has the whole transaction where the export expanded it.
expanded_objects as (

    {% for table, columns in holders.items() -%}
    {%- for column in columns -%}
    select
        {{ column }} as expanded,
        {{ loading | join(',\n        ') }}

    from {{ source('stripe', table) }}
    where
        left({{ column }}, 1) = '{'
        {%- if table != 'refunds' %}
        and coalesce(livemode, true)
        {%- endif %}

    union all

    {% endfor -%}
    {%- endfor -%}
    select
        {{ explode(json_array('balance_transactions')) }} as expanded,
        {{ loading | join(',\n        ') }}

    from {{ source('stripe', 'disputes') }}
    where coalesce(livemode, true)

),

expanded_fields as (

    select
        {{ json_fields('expanded', fields) }} as fields,
        {{ loading | join(',\n        ') }}
    from expanded_objects

),

records as (

    select
        {{ fields | join(',\n        ') }},
        deleted,
        {{ json_first_string('_extra', payout_fields) }} as stated_payout_id,
        false as is_expanded,
        {{ loading | join(',\n        ') }}

    from source

    union all

    select
        fields.{{ fields | join(',\n        fields.') }},
        false as deleted,
        cast(null as string) as stated_payout_id,
        true as is_expanded,
        {{ loading | join(',\n        ') }}

    from expanded_fields
    where fields.id is not null

),

-- A transaction's own record takes precedence over copies of it, whatever its age.
final as (

    select
        id as balance_transaction_id,
        {{ expandable_id('source') }} as source_id,
        {{ expandable_id('stated_payout_id') }} as stated_payout_id,

        type as balance_transaction_type,
        reporting_category,
        balance_type,
        status,
        description,
        upper(currency) as currency,
        exchange_rate,

        amount as amount_minor,
        fee as fee_minor,
        net as net_minor,
        {%- for name, condition in fee_types.items() %}
        {{ list_transform(
            json_array('fee_details'),
            'case when ' ~ json_string('element', 'type') ~ ' ' ~ condition ~ ' then '
            ~ json_string('element', 'amount') ~ ' end',
            'sum'
        ) }} as {{ name }},
        {%- endfor %}

        is_expanded,
        coalesce(deleted, false) as is_deleted,

        {{ from_epoch('created') }} as created_at,
        {{ from_epoch('available_on') }} as available_at,

        _batch_id,
        _extracted_at

    from records
    where
        coalesce({{ expandable_id('source') }}, '') not in (
            select test_objects.id from test_objects
        )
    qualify
        row_number() over (
            partition by id
            order by
                is_expanded asc,
                _extracted_at desc,
                _batch_id desc,
                _source_file desc,
                _source_row desc
        ) = 1

)

select * from final
