{#- The number of elements of a list; null for null. -#}
{% macro list_length(list) -%}
    {{ return(adapter.dispatch('list_length')(list)) }}
{%- endmacro %}

{% macro duckdb__list_length(list) -%}
    len({{ list }})
{%- endmacro %}

{% macro spark__list_length(list) -%}
    array_size({{ list }})
{%- endmacro %}

{#- The first element of a list; null for an empty list. -#}
{% macro list_first(list) -%}
    {{ return(adapter.dispatch('list_first')(list)) }}
{%- endmacro %}

{% macro duckdb__list_first(list) -%}
    {{ list }}[1]
{%- endmacro %}

{% macro spark__list_first(list) -%}
    try_element_at({{ list }}, 1)
{%- endmacro %}
