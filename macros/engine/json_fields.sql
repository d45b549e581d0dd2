{#- Several fields of a JSON object as a struct, read in one pass. A value that does not convert is
    null.

    Arguments:
        column: a JSON object; anything else gives nulls.
        fields: a mapping of key to type. A type is a scalar type, `json`, a list of one type, a mapping, or
            the mapping of `*` to the type of all values, which gives a map.
-#}
{% macro json_fields(column, fields) -%}
    {{ return(adapter.dispatch('json_fields')(column, fields)) }}
{%- endmacro %}

{% macro duckdb__json_fields(column, fields) -%}
    json_transform({{ column }}, '{{ tojson(duckdb__json_structure(fields)) }}')
{%- endmacro %}

{#- The fields as `json_transform` reads them: a map is a type in text. -#}
{% macro duckdb__json_structure(type) -%}
    {%- if type is mapping and '*' in type -%}
        {{ return('map(string, ' ~ duckdb__json_type(type['*']) ~ ')') }}
    {%- elif type is mapping -%}
        {%- set fields = {} -%}
        {%- for field, part in type.items() -%}
            {%- do fields.update({field: duckdb__json_structure(part)}) -%}
        {%- endfor -%}
        {{ return(fields) }}
    {%- elif type is string -%}
        {{ return(type) }}
    {%- endif -%}
    {{ return([duckdb__json_structure(type[0])]) }}
{%- endmacro %}

{% macro duckdb__json_type(type) -%}
    {%- if type is mapping -%}
    struct(
        {%- for field, part in type.items() -%}
        {{ field }} {{ duckdb__json_type(part) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    )
    {%- elif type is string -%}
    {{ type }}
    {%- else -%}
    {{ duckdb__json_type(type[0]) }}[]
    {%- endif -%}
{%- endmacro %}

{#- Read as text first: one value that does not convert must not make others null. -#}
{% macro spark__json_fields(column, fields) -%}
    {%- set parsed -%}
        from_json({{ column }}, '{{ spark__json_schema(fields) }}')
    {%- endset -%}
    {%- if fields is mapping -%}
    {{ bind('parsed', parsed, spark__json_typed('parsed', fields, 1)) }}
    {%- else -%}
    {{ spark__json_typed(parsed, fields, 1) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__json_schema(type) -%}
    {%- if type is mapping and '*' in type -%}
    map<string, {{ spark__json_schema(type['*']) }}>
    {%- elif type is mapping -%}
    struct<
        {%- for field, part in type.items() -%}
        `{{ field }}`: {{ spark__json_schema(part) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    >
    {%- elif type is string -%}
    string
    {%- else -%}
    array<{{ spark__json_schema(type[0]) }}>
    {%- endif -%}
{%- endmacro %}

{#- The text of a value, or the values of a struct, map or list, with their types. -#}
{% macro spark__json_typed(value, type, depth) -%}
    {%- if type is mapping and '*' in type -%}
    transform_values(
        {{ value }},
        (key{{ depth }}, value{{ depth }}) -> {{ spark__json_typed('value' ~ depth, type['*'], depth + 1) }}
    )
    {%- elif type is mapping -%}
    if(
        {{ value }} is null,
        null,
        named_struct(
            {%- for field, part in type.items() %}
            '{{ field }}', {{ spark__json_typed(value ~ '.`' ~ field ~ '`', part, depth + 1) }}
            {{- ',' if not loop.last }}
            {%- endfor %}
        )
    )
    {%- elif type in ('string', 'json') -%}
    {{ value }}
    {%- elif type is string -%}
    try_cast({{ value }} as {{ type }})
    {%- elif type[0] in ('string', 'json') -%}
    {{ value }}
    {%- else -%}
    transform({{ value }}, value{{ depth }} -> {{ spark__json_typed('value' ~ depth, type[0], depth + 1) }})
    {%- endif -%}
{%- endmacro %}
