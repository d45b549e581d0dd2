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

{#- As JSON a null and its neighbours cannot change places. Fields are named by their position, because
    the values of columns with other names are compared. -#}
{% macro spark__row_digest(columns) -%}
    cast(xxhash64(to_json(
        struct(
            {%- for column in columns %}
            {{ column }} as value_{{ loop.index }}{{ ',' if not loop.last }}
            {%- endfor %}
        ), map('ignoreNullFields', 'false')
    )) as decimal(38, 0))
{%- endmacro %}
