{#- Several fields of a JSON object as a struct, read in one pass. A value that does not convert is
    null.

    Arguments:
        column: a JSON object; anything else gives nulls.
        fields: a mapping of key to type.
-#}
{% macro json_fields(column, fields) -%}
    {{ return(adapter.dispatch('json_fields')(column, fields)) }}
{%- endmacro %}

{% macro duckdb__json_fields(column, fields) -%}
    json_transform({{ column }}, '{{ tojson(fields) }}')
{%- endmacro %}
