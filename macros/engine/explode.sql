{#- One row per element of a list, for use in a select list and never inside a cast, which Spark refuses.

    Arguments:
        list: a list.
        with_position: whether each row is a struct of `position` (bigint, from 1) and `value` instead of
            the element alone.
-#}
{% macro explode(list, with_position=false) -%}
    {{ return(adapter.dispatch('explode')(list, with_position)) }}
{%- endmacro %}

{#- The lambda has an arrow because sqlfluff cannot parse `lambda` with two parameters. -#}
{% macro duckdb__explode(list, with_position=false) -%}
    {%- if with_position -%}
    unnest(list_transform(
        {{ list }},
        (element, position) -> struct_pack("position" := position, value := element)
    ))
    {%- else -%}
    unnest({{ list }})
    {%- endif -%}
{%- endmacro %}

{% macro spark__explode(list, with_position=false) -%}
    {%- if with_position -%}
    explode(transform(
        {{ list }},
        (element, position) -> named_struct('position', cast(position + 1 as bigint), 'value', element)
    ))
    {%- else -%}
    explode({{ list }})
    {%- endif -%}
{%- endmacro %}
