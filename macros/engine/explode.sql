{#- One row per element of a list, for use in a select list and never inside a cast, which Spark refuses.

    Arguments:
        list: a list, or with `with_position` a list of JSON values.
        with_position: whether each row is a struct of `position` (bigint, from 1) and `value` (JSON)
            instead of the element alone.
-#}
{% macro explode(list, with_position=false) -%}
    {{ return(adapter.dispatch('explode')(list, with_position)) }}
{%- endmacro %}

{% macro duckdb__explode(list, with_position=false) -%}
    {%- if with_position -%}
    unnest(cast(
        list_zip(generate_series(1, len({{ list }})), {{ list }})
        as struct(position bigint, value json)[]
    ))
    {%- else -%}
    unnest({{ list }})
    {%- endif -%}
{%- endmacro %}
