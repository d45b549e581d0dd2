{#- One row per element of a list, in a select list; never inside a cast, which Spark refuses. -#}
{% macro explode(list) -%}
    unnest({{ list }})
{%- endmacro %}
