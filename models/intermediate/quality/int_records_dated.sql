{#- Source: object, its staging model and when a record came to be. -#}
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
    'segment': [['messages', 'messages', 'received_at']],
} -%}

with

{% for source_name, objects in dated.items() -%}
{%- for object_name, entities, clock in objects -%}
{%- set model = 'stg_' ~ source_name ~ '__' ~ entities -%}
{{ model }} as (

    select
        '{{ source_name }}' as source_system,
        '{{ object_name }}' as object_name,
        cast({{ clock }} as date) as created_date,
        count(*) as row_count

    from {{ ref(model) }}
    where {{ clock }} is not null
    group by all

),

{% endfor -%}
{%- endfor -%}

final as (

    {% for source_name, objects in dated.items() -%}
    {%- set is_last_source = loop.last -%}
    {%- for object_name, entities, clock in objects -%}
    select * from stg_{{ source_name }}__{{ entities }}
    {%- if not (is_last_source and loop.last) %}
    union all
    {% endif -%}
    {%- endfor -%}
    {%- endfor %}

)

select * from final
