-- Every field of `salesforce_passthrough_columns` is in an export of its object, and all of its
-- values convert to the column's type. Without this test, a misspelled field or a wrong type would
-- be a column of nulls.
{{ config(severity='warn') }}

{%- set objects = ['Account', 'Contact', 'Lead', 'Opportunity', 'OpportunityLineItem', 'User'] %}

with

fields as (

    select
        cast(null as string) as object_name,
        cast(null as string) as field_name,
        0 as record_count,
        0 as value_count,
        0 as converted_count
    where false
    {%- for object in objects %}
    {%- for column in salesforce_passthrough_columns(object) %}
    {%- set text = salesforce_passthrough_text(column.field, 'source_rows') %}

    union all

    select
        '{{ object }}' as object_name,
        '{{ column.field }}' as field_name,
        count(*) as record_count,
        count({{ text }}) as value_count,
        count({{ salesforce_passthrough_value(text, column.type) }}) as converted_count
    from {{ source('salesforce', object) }} as source_rows
    {%- endfor %}
    {%- endfor %}

)

select
    object_name,
    field_name,
    record_count,
    value_count,
    converted_count
from fields
where record_count > 0 and (value_count = 0 or converted_count < value_count)
