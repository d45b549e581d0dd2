{#- One row per element of a JSON list, in a select list: a struct of `position` (from 1) and `value`. -#}
{% macro explode_with_position(list) -%}
    unnest(cast(
        list_zip(generate_series(1, len({{ list }})), {{ list }})
        as struct(position bigint, value json)[]
    ))
{%- endmacro %}
