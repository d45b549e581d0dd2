{#-
    A number that is equal for rows with equal values in all columns, nulls included. Rows that differ
    practically never share one.

    Arguments:
        columns: a list of expressions.
-#}
{% macro row_digest(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}
