{#- A struct of named expressions.

    Arguments:
        fields: a mapping of field to SQL expression.
-#}
{% macro struct(fields) -%}
    {{ return(adapter.dispatch('struct')(fields)) }}
{%- endmacro %}

{% macro default__struct(fields) -%}
    struct(
        {%- for field, expression in fields.items() %}
        {{ expression }} as {{ field }}{{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro duckdb__struct(fields) -%}
    struct_pack(
        {%- for field, expression in fields.items() %}
        {{ field }} := {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- The type of a list, for a cast.

    Arguments:
        element: the type of its elements, a scalar type or a mapping of field to type.
-#}
{% macro list_type(element) -%}
    {{ return(adapter.dispatch('list_type')(element)) }}
{%- endmacro %}

{% macro default__list_type(element) -%}
    {%- if element is mapping -%}
    array<struct<
        {%- for field, type in element.items() -%}{{ field }} {{ type }}{{ ', ' if not loop.last }}{%- endfor -%}
    >>
    {%- else -%}
    array<{{ element }}>
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__list_type(element) -%}
    {{ duckdb__json_type([element]) }}
{%- endmacro %}
