{#- A JSON object of named expressions. A JSON expression is nested, not quoted.

    Arguments:
        fields: a mapping of key to SQL expression.
-#}
{% macro json_object(fields) -%}
    {{ return(adapter.dispatch('json_object')(fields)) }}
{%- endmacro %}

{% macro duckdb__json_object(fields) -%}
    json_object(
        {%- for key, expression in fields.items() %}
        '{{ key }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
