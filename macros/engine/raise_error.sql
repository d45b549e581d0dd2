{#- Stops the build with a message that is computed from the row.

    Arguments:
        message: a text expression. Null raises nothing, and the value is null.
-#}
{% macro raise_error(message) -%}
    {{ return(adapter.dispatch('raise_error')(message)) }}
{%- endmacro %}

{% macro duckdb__raise_error(message) -%}
    error({{ message }})
{%- endmacro %}

{% macro spark__raise_error(message) -%}
    if(({{ message }}) is null, null, raise_error({{ message }}))
{%- endmacro %}
