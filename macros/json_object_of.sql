{#- A group's rows as the text of one JSON object, a key and a number a row, in a stated order. -#}
{% macro json_object_of(key, number, position) -%}
    concat('{', string_agg(concat(to_json({{ key }}), ':', {{ number }}), ',' order by {{ position }}), '}')
{%- endmacro %}
