{#- An expression in which a name holds a value, so that the engine computes the value once.

    Arguments:
        name: the name, which must not be that of a column.
        value: an expression.
        expression: an expression that reads the name.
-#}
{% macro bind(name, value, expression) -%}
    {{ return(adapter.dispatch('bind')(name, value, expression)) }}
{%- endmacro %}

{#- A list of one element: also inside another lambda, DuckDB reads the value once. -#}
{% macro duckdb__bind(name, value, expression) -%}
    list_transform([{{ value }}], lambda {{ name }}: {{ expression }})[1]
{%- endmacro %}

{% macro spark__bind(name, value, expression) -%}
    transform(array({{ value }}), {{ name }} -> {{ expression }})[0]
{%- endmacro %}
