{#- The sum over a JSON array of an expression of its `element`s, as a whole number; 0 when there is
    nothing to sum. -#}
{% macro json_list_sum(array, expression) -%}
    cast(coalesce(list_sum(list_transform(
        {{ json_array(array) }}, lambda element: cast({{ expression }} as bigint)
    )), 0) as bigint)
{%- endmacro %}
