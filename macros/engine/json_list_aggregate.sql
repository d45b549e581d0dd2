{#- An aggregate over the elements of a JSON array, as a bigint.

    Arguments:
        aggregate: `min`, or `sum`.
        array: a JSON array. Without elements `min` is null and `sum` is 0.
        expression: an expression of `element`, a JSON value, that returns a whole number or its text.
-#}
{% macro json_list_aggregate(aggregate, array, expression) -%}
    {{ return(adapter.dispatch('json_list_aggregate')(aggregate, array, expression)) }}
{%- endmacro %}

{% macro duckdb__json_list_aggregate(aggregate, array, expression) -%}
    {%- set result -%}
    list_{{ aggregate }}(list_transform(
        {{ json_array(array) }}, lambda element: cast({{ expression }} as bigint)
    ))
    {%- endset -%}
    {{ 'cast(coalesce(' ~ result ~ ', 0) as bigint)' if aggregate == 'sum' else result }}
{%- endmacro %}
