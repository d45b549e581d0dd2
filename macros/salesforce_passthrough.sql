{#-
    The columns that `var('salesforce_passthrough_columns')` adds to marts: fields of Salesforce's objects, custom
    or not. They are not in the yml of a mart, so the mart's contract gets them from the same variable.

    Staging converts the fields, intermediate models and marts name the columns:
        {{ salesforce_passthrough('Account') }}
        {{ salesforce_passthrough('Account', 'stg_salesforce__accounts') }}
-#}

{#- The configured columns of an object, each with `field`, `name` and `type`.

    Arguments:
        object: Salesforce's name of the object.
-#}
{% macro salesforce_passthrough_columns(object) -%}
    {%- set objects = ['account', 'contact', 'lead', 'opportunity', 'opportunitylineitem', 'user'] -%}
    {%- set type_pattern = 'string|bigint|integer|double|boolean|date|timestamp|decimal[(][0-9]+, ?[0-9]+[)]' -%}
    {%- set columns = [] -%}
    {%- for key, fields in var('salesforce_passthrough_columns').items() -%}
        {%- if key | lower not in objects -%}
            {%- do exceptions.raise_compiler_error(
                'salesforce_passthrough_columns: ' ~ key ~ ' is not one of Account, Contact, Lead, Opportunity, '
                ~ 'OpportunityLineItem and User'
            ) -%}
        {%- endif -%}
        {%- for field in fields if key | lower == object | lower -%}
            {%- set given = {'field': field} if field is string else field -%}
            {%- set column = {
                'field': given.field,
                'name': modules.re.sub('[^a-z0-9]+', '_', given.name | default(
                    modules.re.sub('(?i)__c$', '', given.field)
                ) | lower),
                'type': given.type | default('string') | lower,
            } -%}
            {%- if not modules.re.fullmatch(type_pattern, column.type) -%}
                {%- do exceptions.raise_compiler_error(
                    'salesforce_passthrough_columns: the type of ' ~ key ~ '.' ~ column.field ~ ' must be '
                    ~ 'string, bigint, integer, double, boolean, date, timestamp or decimal(p, s), not '
                    ~ column.type
                ) -%}
            {%- endif -%}
            {%- do columns.append(column) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- A field of a raw row as text, whatever its case; null when the row has none.

    Arguments:
        field: Salesforce's name of the field.
        row: the relation with the row and its `_extra`.
-#}
{% macro salesforce_passthrough_text(field, row) -%}
    nullif(trim(coalesce(
            {{ json_string(row ~ '._extra', field, ignores_case=true) }},
            {{ json_string(row_as_json(row), field, ignores_case=true) }}
        )), '')
{%- endmacro %}

{#- A text as a value of a type; null when it does not convert. -#}
{% macro salesforce_passthrough_value(text, type) -%}
    {%- if type in ('date', 'timestamp') -%}
    cast({{ utc_timestamp(text) }} as {{ type }})
    {%- else -%}
    try_cast({{ text }} as {{ type }})
    {%- endif -%}
{%- endmacro %}

{#- The columns of an object for a select list.

    Arguments:
        object: Salesforce's name of the object.
        relation: the relation that has the columns; none where the CTE `source` has the raw rows.
-#}
{% macro salesforce_passthrough(object, relation=none) -%}
    {%- for column in salesforce_passthrough_columns(object) %}
        {%- if relation %}
        {{ relation }}.{{ column.name }},
        {%- else %}
        {{ salesforce_passthrough_value(
            salesforce_passthrough_text(column.field, 'source'), column.type
        ) }} as {{ column.name }},
        {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- dbt's check of a contract, which adds the columns of the object that the mart names in
    `meta.salesforce_object`. Everything that dbt does with the contract afterwards has them too. -#}
{% macro default__get_assert_columns_equivalent(sql) -%}
    {%- set object = model.config.meta.salesforce_object -%}
    {%- for column in salesforce_passthrough_columns(object) if object -%}
        {%- if column.name in model.columns -%}
            {%- do exceptions.raise_compiler_error(
                'salesforce_passthrough_columns: ' ~ model.name ~ ' has a column ' ~ column.name
                ~ '; give ' ~ column.field ~ ' another name'
            ) -%}
        {%- endif -%}
        {%- do model.columns.update({
            column.name: {'name': column.name, 'data_type': column.type, 'constraints': []}
        }) -%}
    {%- endfor -%}
    {{ return(assert_columns_equivalent(sql)) }}
{%- endmacro %}
