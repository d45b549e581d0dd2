{#- A window function that skips nulls; the window follows.

    Arguments:
        name: `first`, `last`.
        expression: the value.
-#}
{% macro known_value(name, expression) -%}
    {{ return(adapter.dispatch('known_value')(name, expression)) }}
{%- endmacro %}

{% macro default__known_value(name, expression) -%}
    {{ name }}_value({{ expression }}) ignore nulls
{%- endmacro %}

{% macro duckdb__known_value(name, expression) -%}
    {{ name }}_value({{ expression }} ignore nulls)
{%- endmacro %}
