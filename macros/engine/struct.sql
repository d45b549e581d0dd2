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
