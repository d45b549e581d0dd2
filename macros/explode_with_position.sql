{#- One row per element of a list, in a select list: a struct of `position` (from 1) and `value`. -#}
{% macro explode_with_position(list) -%}
    unnest(list_transform({{ list }}, lambda element, position: {
        'position': position, 'value': element
    }))
{%- endmacro %}
