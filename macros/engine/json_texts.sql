{#- The names and texts of a JSON object's fields as a struct of two lists, `names` and `texts`; null for anything
    but an object. A name is in lower case without separators, and a blank text is null. -#}
{% macro json_texts(column) -%}
    {{ return(adapter.dispatch('json_texts')(column)) }}
{%- endmacro %}

{#- Paths are JSON pointers, in which any name is valid. -#}
{% macro duckdb__json_texts(column) -%}
    case
        when json_type({{ column }}) = 'OBJECT'
            then struct_pack(
                names := list_transform(
                    json_keys({{ column }}),
                    lambda field: regexp_replace(lower(field), '[^a-z0-9]', '', 'g')
                ),
                texts := list_transform(
                    json_keys({{ column }}),
                    lambda field: nullif(trim(json_extract_string(
                        {{ column }}, '/' || replace(replace(field, '~', '~0'), '/', '~1')
                    )), '')
                )
            )
    end
{%- endmacro %}
