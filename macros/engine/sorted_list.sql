{#- The values of a group as a list in ascending order; an aggregate.

    Arguments:
        expression: the value. Structs are ordered by their first field, then by the next.
-#}
{% macro sorted_list(expression) -%}
    {{ return(adapter.dispatch('sorted_list')(expression)) }}
{%- endmacro %}

{% macro duckdb__sorted_list(expression) -%}
    list_sort(array_agg({{ expression }}))
{%- endmacro %}

{% macro spark__sorted_list(expression) -%}
    array_sort(array_agg({{ expression }}))
{%- endmacro %}
