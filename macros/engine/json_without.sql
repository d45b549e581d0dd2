{#- A JSON object without some of its keys, as text; null when no key remains.

    Arguments:
        column: a JSON object; anything else gives null.
        keys: the keys to remove.
-#}
{% macro json_without(column, keys) -%}
    {{ return(adapter.dispatch('json_without')(column, keys)) }}
{%- endmacro %}

{% macro duckdb__json_without(column, keys) -%}
    {%- set nulls = {} -%}
    {%- for key in keys -%}
        {%- do nulls.update({key: none}) -%}
    {%- endfor -%}
    case
        when json_type({{ column }}) = 'OBJECT'
            then nullif(cast(json_merge_patch({{ column }}, '{{ tojson(nulls) }}') as string), '{}')
    end
{%- endmacro %}

{% macro spark__json_without(column, keys) -%}
    case
        when left(ltrim({{ column }}), 1) = '{'
            then nullif(to_json(map_filter(
                from_json({{ column }}, 'map<string,variant>'),
                (name, value) -> name not in ('{{ keys | join("', '") }}')
            )), '{}')
    end
{%- endmacro %}
