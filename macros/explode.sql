{#- One row per element of a list, in a select list. -#}
{% macro explode(list) -%}
    unnest({{ list }})
{%- endmacro %}
