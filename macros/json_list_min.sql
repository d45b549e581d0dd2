{#- The least whole number that an expression of the `element`s of a JSON array gives; null for an
    empty array. -#}
{% macro json_list_min(array, expression) -%}
    list_min(list_transform(
        {{ json_array(array) }}, lambda element: cast({{ expression }} as bigint)
    ))
{%- endmacro %}
