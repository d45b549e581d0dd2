{#- A number that is equal for equal values of all columns, nulls included, and otherwise differs with
    near certainty.

    Arguments:
        columns: a list of column names.
-#}
{% macro row_digest(columns) -%}
    {{ return(adapter.dispatch('row_digest')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_digest(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{#- Texts are read with their length, so that a null and its neighbours cannot change places. -#}
{% macro spark__row_digest(columns) -%}
    cast(xxhash64(to_json(
        struct({{ columns | join(', ') }}), map('ignoreNullFields', 'false')
    )) as decimal(38, 0))
{%- endmacro %}
