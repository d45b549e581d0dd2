{#- Several fields of a JSON object as a struct, read in one pass; a value that does not convert is
    null, so that one bad number stops nothing.

    Arguments:
        column: a JSON object; anything else gives nulls.
        fields: a mapping of key to type.
-#}
{% macro json_fields(column, fields) -%}
    json_transform({{ column }}, '{{ tojson(fields) }}')
{%- endmacro %}
