{#- A number that is equal for equal values of all columns, nulls included, and else all but never. -#}
{% macro row_digest(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}
