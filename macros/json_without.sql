{#- A JSON object less some of its keys, as text; null when nothing is left.

    Arguments:
        column: a JSON object; anything else gives null.
        keys: the keys to leave out.
-#}
{% macro json_without(column, keys) -%}
    {%- set nulls = {} -%}
    {%- for key in keys -%}
        {%- do nulls.update({key: none}) -%}
    {%- endfor -%}
    case
        when json_type({{ column }}) = 'OBJECT'
            then nullif(cast(json_merge_patch({{ column }}, '{{ tojson(nulls) }}') as string), '{}')
    end
{%- endmacro %}
