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

{#- The texts of a list in ascending order, with spaces between them. -#}
{% macro sorted_text(list) -%}
    {{ return(adapter.dispatch('sorted_text')(list)) }}
{%- endmacro %}

{% macro duckdb__sorted_text(list) -%}
    array_to_string(list_sort({{ list }}), ' ')
{%- endmacro %}

{% macro spark__sorted_text(list) -%}
    array_join(array_sort({{ list }}), ' ')
{%- endmacro %}
