{#- Source: object, its staging model and the time at which the vendor created the record. -#}
{%- set dated = {
    'salesforce': [
        ['Account', 'accounts', 'created_at'],
        ['Contact', 'contacts', 'created_at'],
        ['Lead', 'leads', 'created_at'],
        ['Opportunity', 'opportunities', 'created_at'],
        ['OpportunityHistory', 'opportunity_histories', 'created_at'],
    ],
    'stripe': [
        ['charges', 'charges', 'created_at'],
        ['customers', 'customers', 'created_at'],
        ['invoices', 'invoices', 'created_at'],
        ['refunds', 'refunds', 'created_at'],
        ['subscriptions', 'subscriptions', 'created_at'],
    ],
} -%}

with

int_messages_counted as (

    select * from {{ ref('int_messages_counted') }}

),

final as (

    {% for source_name, objects in dated.items() -%}
    {%- for object_name, entities, clock in objects -%}
    select
        '{{ source_name }}' as source_system,
        '{{ object_name }}' as object_name,
        cast({{ clock }} as date) as created_date,
        count(*) as row_count
    from {{ ref('stg_' ~ source_name ~ '__' ~ entities) }}
    where {{ clock }} is not null
    group by all

    union all

    {% endfor -%}
    {%- endfor -%}
    select
        'segment' as source_system,
        'messages' as object_name,
        received_date as created_date,
        cast(sum(message_count) as bigint) as row_count
    from int_messages_counted
    where layer = 'staging'
    group by received_date

)

select * from final
